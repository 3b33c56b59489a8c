import { dirname, join, resolve } from "node:path";
import {
  type ImageType,
  type Boot,
  bootFiles,
  checkManifest,
  type ExternalFile,
  type Host,
  namePattern,
  type SnapshotDisk,
  type SnapshotFile,
  type SnapshotManifest,
  type VmConfig,
} from "@silkvm/core";
import { readImageHeader } from "../image-header.ts";
import { archiveInvalid } from "../tar/archive-invalid.ts";
import type { CounterpartConfig, Envelope, Sidecar } from "./counterpart-schema.ts";

/** What an archive of Cocoon's has told. */
export interface CounterpartParts {
  readonly envelope: Envelope;
  readonly sidecar: Sidecar;
  readonly config: CounterpartConfig;
  readonly files: readonly SnapshotFile[];
  readonly savedMs: number;
}

const overlayName = "overlay.qcow2";

/**
 * What Cocoon's files tell of a snapshot, as a manifest of silk's. Files outside of it have no digests there: whoever clones from it has to allow them.
 * @throws SilkError `ARCHIVE_INVALID` where they do not agree with one another, `INVALID_MANIFEST`, `INVALID_IMAGE`
 */
export async function counterpartManifest(
  host: Host,
  directory: string,
  parts: CounterpartParts,
): Promise<SnapshotManifest> {
  const { envelope, config, files, savedMs } = parts;
  const told = envelope.config;
  const id = idOf(host, told.id);
  const name = namePattern.test(told.name) ? told.name : `cocoon-${id.slice(0, 8)}`;
  const boot = bootOf(parts);
  const disks = disksOf(parts);
  const manifest = {
    format: "silk-snapshot",
    version: 1,
    id,
    name,
    description: told.description,
    createdAt: new Date(savedMs).toISOString(),
    backend: "cloud-hypervisor",
    host: { arch: host.facts.arch, vmmVersion: "unknown" },
    vm: {
      id,
      name,
      config: configOf(parts),
      boot,
      disks,
      nics: config.net.map((nic) => ({
        tap: nic.tap,
        mac: nic.mac,
        queues: nic.num_queues,
        queueSize: nic.queue_size,
        provider: "cocoon",
      })),
      labels: {},
      imageBlobIds: Object.keys(told.image_blob_ids),
      firstBooted: true,
    },
    externals: await externalsOf(host, directory, boot, disks),
    files,
  };
  return checkManifest(manifest, "the snapshot in the archive");
}

function idOf(host: Host, told: string | undefined): string {
  if (told !== undefined && namePattern.test(told)) return told;
  return Buffer.from(host.random.bytes(16)).toString("hex");
}

/** Its name of a type of images, and ours. */
const imageTypes: Readonly<Record<string, ImageType>> = { oci: "oci-vm", cloudimg: "cloudimg" };

function configOf({ envelope, config }: CounterpartParts): VmConfig {
  const told = envelope.config;
  const { image_type: imageType } = told;
  return {
    cpus: told.cpu || config.cpus.boot_vcpus,
    memoryBytes: told.memory || config.memory.size,
    storageBytes: told.storage,
    netQueueSize: told.queue_size,
    diskQueueSize: told.disk_queue_size,
    noDirectIo: told.no_direct_io,
    windows: told.windows,
    sharedMemory: config.memory.shared,
    hugepages: config.memory.hugepages,
    image: told.image,
    imageDigest: told.image_digest,
    imageType: imageTypes[imageType ?? ""],
    network: told.network,
  };
}

/** As the VM's record had it; older archives have it in the VMM's configuration alone. */
function bootOf({ sidecar, config }: CounterpartParts): Boot {
  const told = sidecar.boot_config;
  const { payload } = config;
  const firmwarePath = told?.firmware_path ?? payload?.firmware ?? undefined;
  const kernelPath = told?.kernel_path ?? payload?.kernel ?? undefined;
  if (kernelPath !== undefined) {
    const initrdPath = told?.initrd_path ?? payload?.initramfs ?? undefined;
    const cmdline = told?.cmdline || payload?.cmdline || "";
    return { kind: "direct", kernelPath, initrdPath, cmdline };
  }
  if (firmwarePath === undefined) throw archiveInvalid("it does not tell what the VM boots from");
  return { kind: "firmware", firmwarePath };
}

/** The disks in the order of the VMM's configuration, which the sidecar follows. */
function disksOf({ sidecar, config, files }: CounterpartParts): readonly SnapshotDisk[] {
  const sizes = new Map(files.map(({ name, sizeBytes }) => [name, sizeBytes]));
  if (sidecar.storage_configs.length !== config.disks.length)
    throw archiveInvalid("cocoon.json and config.json in it tell of different disks");
  return sidecar.storage_configs.map((told, index) => {
    const attached = config.disks[index];
    if (attached?.path !== told.path || attached.readonly !== told.ro)
      throw archiveInvalid(
        `cocoon.json and config.json in it tell of different disks at ${told.path}`,
      );
    const file = fileOf(told, sizes);
    return {
      path: told.path,
      role: told.role,
      readonly: told.ro,
      serial: told.serial === "" ? undefined : told.serial,
      // The size of a qcow2 file is not that of its disk.
      sizeBytes: file === undefined || file === overlayName ? undefined : sizes.get(file),
      directIo: told.direct_io ?? undefined,
      mountPoint: told.mount_point === "" ? undefined : told.mount_point,
      fstype: told.fstype,
      file,
    };
  });
}

function fileOf(
  { role, serial, path }: Sidecar["storage_configs"][number],
  files: ReadonlyMap<string, number>,
): string | undefined {
  if (role === "layer") return undefined;
  const candidates = {
    cow: ["cow.raw", overlayName],
    cidata: ["cidata.img"],
    data: [`data-${serial}.raw`],
  }[role];
  const found = candidates.find((name) => files.has(name));
  if (found === undefined)
    throw archiveInvalid(`the content of the disk ${path} is missing: ${candidates.join(" or ")}`);
  return found;
}

async function externalsOf(
  host: Host,
  directory: string,
  boot: Boot,
  disks: readonly SnapshotDisk[],
): Promise<readonly ExternalFile[]> {
  const paths = new Set(bootFiles(boot));
  for (const { path, file } of disks) {
    if (file === undefined) paths.add(path);
    if (file !== overlayName) continue;
    const { format, backingFile, externalData } = await readImageHeader(
      host,
      join(directory, file),
    );
    if (format !== "qcow2" || externalData === true)
      throw archiveInvalid(`${overlayName} in it is no qcow2 image that stands for itself`);
    if (backingFile !== undefined) paths.add(resolve(dirname(path), backingFile));
  }
  return [...paths].map((path) => ({ path }));
}
