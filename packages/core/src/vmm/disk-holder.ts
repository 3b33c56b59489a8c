import { basename, dirname } from "node:path";
import { SilkError } from "../errors.ts";
import type { RunningProcess } from "../host.ts";
import type { BackendContext } from "../hypervisor.ts";
import type { VmRecord } from "../vm/record.ts";

/** Who holds a lock on a disk that a VM wants. */
interface Holder {
  readonly pid: number;
  readonly command: string;
  /** Id of the VM whose VMM it is, where it is one of ours. */
  readonly vmId: string | undefined;
}

/**
 * The error for a disk that another process has locked: the VMM says that it is, and not by whom, so the kernel is asked.
 * @param path as the VMM names the disk; where it names none, each of the VM's disks is looked at
 */
export async function diskLockedError(
  machine: Pick<BackendContext, "host" | "paths">,
  vm: VmRecord,
  path: string | undefined,
  details: Readonly<Record<string, unknown>>,
): Promise<SilkError> {
  const candidates = path === undefined ? vm.disks.map((disk) => disk.path) : [path];
  for (const candidate of candidates) {
    const running = await machine.host.processes.lockHolders(candidate).catch(() => []);
    const holders = running.map((process) => toHolder(machine, vm, process));
    const first = holders[0];
    if (first === undefined) continue;
    const who =
      first.vmId === undefined
        ? `the process ${first.pid} (${first.command})`
        : `the VM ${first.vmId} (pid ${first.pid})`;
    return locked(`the disk ${candidate} is in use by ${who}`, {
      hint:
        first.vmId === undefined
          ? "End that process first, or give this VM a disk of its own."
          : `Stop that VM first (silk vm stop ${first.vmId}), or give this VM a disk of its own.`,
      details: { ...details, path: candidate, holders },
    });
  }
  return locked(`the disk ${path ?? "of the VM"} is in use by another process`, {
    hint: "Give this VM a disk of its own; `lslocks` as root shows who holds this one.",
    details: { ...details, path, holders: [] },
  });
}

function locked(
  message: string,
  rest: { readonly hint: string; readonly details: Readonly<Record<string, unknown>> },
): SilkError {
  return new SilkError(message, { code: "DISK_LOCKED", kind: "conflict", ...rest });
}

/** A VMM of ours names a file in its VM's run directory. */
function toHolder(
  { paths }: Pick<BackendContext, "paths">,
  vm: VmRecord,
  { identity, argv }: RunningProcess,
): Holder {
  const ours = `${dirname(paths(vm).runDir)}/`;
  const argument = argv.find((one) => one.includes(ours));
  return {
    pid: identity.pid,
    command: basename(argv[0] ?? ""),
    vmId: argument?.slice(argument.indexOf(ours) + ours.length).split("/", 1)[0],
  };
}
