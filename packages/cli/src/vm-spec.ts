import type { BootSpec, DataDiskSpec, DiskSpec, VmSpec } from "@silkvm/core";
import { usageError } from "./cli-error.ts";
import { type GuestFlags, readGuest } from "./guest-config.ts";
import { parseLabels } from "./parse/labels.ts";
import { type ContainerFlags, readRun, type TaggedVolume, withRun } from "./run/run-spec.ts";

/** The values of `vmSpecFlags`. */
interface VmSpecFlags extends GuestFlags {
  readonly name?: string | undefined;
  readonly id?: string | undefined;
  readonly backend?: string | undefined;
  readonly cpus?: number | undefined;
  readonly memory?: number | undefined;
  readonly storage?: number | undefined;
  readonly pull?: VmSpec["pull"];
  readonly user?: string | undefined;
  readonly "image-kernel"?: string | undefined;
  readonly kernel?: string | undefined;
  readonly initrd?: string | undefined;
  readonly cmdline?: string | undefined;
  readonly firmware?: string | undefined;
  readonly disk?: readonly DiskSpec[] | undefined;
  readonly "data-disk"?: readonly DataDiskSpec[] | undefined;
  readonly nics?: number | undefined;
  readonly bridge?: string | undefined;
  readonly network?: string | undefined;
  readonly mac?: readonly string[] | undefined;
  readonly dns?: readonly string[] | undefined;
  readonly "queue-size"?: number | undefined;
  readonly "disk-queue-size"?: number | undefined;
  readonly "no-direct-io": boolean;
  readonly "shared-memory": boolean;
  readonly hugepages: boolean;
  readonly windows: boolean;
  readonly label?: readonly string[] | undefined;
}

/**
 * The VM that a command line asks for, with what it names of files that the guest is to be told.
 * @param words IMAGE, where there is one, and what is to run in it
 * @throws CliError of kind `invalid` where the flags do not go together, or a file is not what it should be
 */
export async function readVmSpec(
  flags: VmSpecFlags & ContainerFlags,
  [image, ...command]: readonly string[],
): Promise<{ readonly spec: VmSpec; readonly volumes: readonly TaggedVolume[] }> {
  const wanted = await readRun(flags, command);
  const spec = withRun(toVmSpec(flags, image), wanted);
  const guest = await readGuest(flags);
  return { spec: guest === undefined ? spec : { ...spec, guest }, volumes: wanted.volumes };
}

/**
 * The same without the files.
 * @throws CliError of kind `invalid` where the flags do not go together
 */
export function toVmSpec(flags: VmSpecFlags, image?: string): VmSpec {
  if (image === undefined) refuseWithoutImage(flags);
  return {
    name: flags.name,
    id: flags.id,
    backend: flags.backend,
    cpus: flags.cpus,
    memoryBytes: flags.memory,
    storageBytes: flags.storage,
    image,
    pull: flags.pull,
    user: flags.user,
    imageKernel: flags["image-kernel"],
    boot: toBoot(flags, image),
    disks: flags.disk,
    dataDisks: flags["data-disk"],
    nics: flags.nics,
    bridge: flags.bridge,
    network: flags.network,
    macs: listed(flags.mac),
    dns: listed(flags.dns),
    netQueueSize: flags["queue-size"],
    diskQueueSize: flags["disk-queue-size"],
    noDirectIo: flags["no-direct-io"],
    sharedMemory: flags["shared-memory"],
    hugepages: flags.hugepages,
    windows: flags.windows,
    labels: flags.label === undefined ? undefined : parseLabels(flags.label),
  };
}

/** A flag's values, each of which may be several with commas between. */
function listed(values: readonly string[] | undefined): readonly string[] | undefined {
  return values?.flatMap((value) => value.split(",")).map((value) => value.trim());
}

function refuseWithoutImage(flags: VmSpecFlags): void {
  const extra = (["pull", "user", "ssh-key", "user-data", "image-kernel"] as const).find(
    (flag) => flags[flag] !== undefined,
  );
  if (extra !== undefined)
    throw usageError(
      `--${extra} is for a VM of an image, and no image is named`,
      "Name one behind the flags: silk vm run [FLAGS] IMAGE",
    );
}

function toBoot(
  { kernel, initrd, cmdline, firmware }: VmSpecFlags,
  image: string | undefined,
): BootSpec | undefined {
  if (firmware !== undefined) {
    const extra = Object.entries({ kernel, initrd, cmdline }).find(
      ([, value]) => value !== undefined,
    );
    if (extra !== undefined)
      throw usageError(
        `--firmware and --${extra[0]} do not go together`,
        "A firmware finds its kernel on the disk; --kernel boots one directly.",
      );
    return { firmware };
  }
  const given = [kernel, initrd, cmdline].some((value) => value !== undefined);
  if (image !== undefined) return given ? { kernel, initrd, cmdline } : undefined;
  if (kernel === undefined)
    throw usageError(
      "a VM needs something to boot",
      "Name an image (silk vm run IMAGE), or give --kernel FILE or --firmware FILE.",
    );
  return { kernel, initrd, cmdline };
}
