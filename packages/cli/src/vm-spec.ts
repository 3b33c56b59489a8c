import type { BootSpec, DataDiskSpec, DiskSpec, VmSpec } from "@silkvm/core";
import { usageError } from "./cli-error.ts";
import { parseLabels } from "./parse/labels.ts";

/** The values of `vmSpecFlags`. */
interface VmSpecFlags {
  readonly name?: string | undefined;
  readonly id?: string | undefined;
  readonly backend?: string | undefined;
  readonly cpus?: number | undefined;
  readonly memory?: number | undefined;
  readonly storage?: number | undefined;
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
 * The VM that a command line asks for.
 * @throws CliError of kind `invalid` where the flags do not go together
 */
export function toVmSpec(flags: VmSpecFlags): VmSpec {
  return {
    name: flags.name,
    id: flags.id,
    backend: flags.backend,
    cpus: flags.cpus,
    memoryBytes: flags.memory,
    storageBytes: flags.storage,
    boot: toBoot(flags),
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

function toBoot({ kernel, initrd, cmdline, firmware }: VmSpecFlags): BootSpec {
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
  if (kernel === undefined)
    throw usageError("a VM needs something to boot", "Give --kernel FILE, or --firmware FILE.");
  return { kernel, initrd, cmdline };
}
