import { dirname, join } from "node:path";
import {
  COW_SERIAL,
  type Disk,
  type Host,
  type ResolvedVmSpec,
  type VmImage,
  type VmPaths,
  type VmRecord,
} from "@silkvm/core";

/** Serial of the disk by which the init of a container's VM finds what to run. */
export const RUN_SERIAL = "silk-run";
/** Serial of the disk to which the init of a container's VM writes how that ended. */
export const EXIT_SERIAL = "silk-exit";

const exitDiskBytes = 1024 ** 2;

/** A disk that is made with the VM. */
export interface DiskToMake {
  readonly path: string;
  readonly sizeBytes: number;
  readonly fstype: "ext4" | "none";
  readonly label: string | undefined;
  /** The raw image that it begins as. */
  readonly basePath?: string | undefined;
}

/** The disks of a VM, in the order in which the guest sees them: its image's layers, the given ones, the COW disk, the data disks, cidata. */
export async function plannedDisks(
  host: Host,
  spec: ResolvedVmSpec,
  { dataDir }: VmPaths,
): Promise<readonly Disk[]> {
  const { image } = spec;
  const disks: Disk[] = [];
  for (const { path, serial } of image?.layers ?? [])
    disks.push({ path, role: "layer", readonly: true, serial });
  for (const disk of spec.disks) {
    const readonly = disk.readonly ?? false;
    disks.push({
      path: disk.path,
      role: readonly ? "layer" : "data",
      readonly,
      ...(disk.serial === undefined ? {} : { serial: disk.serial }),
      ...(disk.directIo === undefined ? {} : { directIo: disk.directIo }),
    });
  }
  if (spec.config.storageBytes > 0) disks.push(await cowDisk(host, image, dataDir));
  for (const disk of spec.dataDisks) {
    disks.push({
      path: join(dataDir, `data-${disk.name}.raw`),
      role: "data",
      readonly: false,
      serial: disk.name,
      fstype: disk.fstype,
      sizeBytes: disk.sizeBytes,
      ...(disk.mountPoint === undefined ? {} : { mountPoint: disk.mountPoint }),
      ...(disk.directIo === undefined ? {} : { directIo: disk.directIo }),
    });
  }
  return [...disks, ...seedDisks(spec, dataDir)];
}

/** Raw where that costs nothing; else an overlay, which needs no room for what it does not change. */
async function cowDisk(host: Host, image: VmImage | undefined, dataDir: string): Promise<Disk> {
  const cow = { role: "cow", readonly: false, serial: COW_SERIAL } as const;
  const basePath = image?.disk?.path;
  if (basePath === undefined) return { path: rawCowPath(dataDir), ...cow };
  const isRaw = await host.files.sharesBlocks(dirname(basePath));
  const path = isRaw ? rawCowPath(dataDir) : join(dataDir, "cow.qcow2");
  return { path, ...cow, basePath };
}

/** The disks by which a guest of an image learns who it is, or what it is to run. */
function seedDisks({ image, config }: ResolvedVmSpec, dataDir: string): readonly Disk[] {
  const cidata: Disk = { path: join(dataDir, "cidata.img"), role: "cidata", readonly: true };
  if (image?.type === "cloudimg") return config.windows ? [] : [cidata];
  if (image?.type !== "oci-container") return [];
  const exit: Disk = {
    path: join(dataDir, "exit.raw"),
    role: "data",
    readonly: false,
    serial: EXIT_SERIAL,
    fstype: "none",
    sizeBytes: exitDiskBytes,
  };
  return [exit, { ...cidata, serial: RUN_SERIAL }];
}

/** Those of a VM's disks that are made with it: they lie in its own directory. */
export function disksToMake(vm: VmRecord, { dataDir }: VmPaths): readonly DiskToMake[] {
  const made: DiskToMake[] = [];
  for (const disk of vm.disks) {
    const { path, role, serial, fstype = "ext4", sizeBytes, basePath } = disk;
    if (role === "cow" && dirname(path) === dataDir) {
      // The init of an image finds its root's upper layer here. A guest that brings its own boot loader partitions the disk itself.
      const cowFstype = vm.boot.kind === "direct" && basePath === undefined ? "ext4" : "none";
      const own = { sizeBytes: vm.config.storageBytes, fstype: cowFstype, label: serial } as const;
      made.push({ path, ...own, ...(basePath === undefined ? {} : { basePath }) });
    } else if (role === "data" && sizeBytes !== undefined) {
      made.push({ path, sizeBytes, fstype, label: serial });
    }
  }
  return made;
}

function rawCowPath(dataDir: string): string {
  return join(dataDir, "cow.raw");
}
