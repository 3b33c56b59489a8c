import { SilkError } from "../errors.ts";
import type { CallOptions, Host, ProcessIdentity } from "../host.ts";
import type { BackendContext } from "../hypervisor.ts";
import type { VmRecord } from "../vm/record.ts";

/** How a backend finds its VMMs. */
export interface VmmFinder {
  readonly host: Host;
  /** The living processes that are this VM's VMM, whatever its record knows of them. */
  readonly findVmm: (vm: VmRecord) => Promise<readonly ProcessIdentity[]>;
}

/** The VMM that the record names, if it lives. */
export function recordedVmm(
  { host }: Pick<VmmFinder, "host">,
  vm: VmRecord,
): ProcessIdentity | undefined {
  const vmm = vm.runtime?.vmm;
  return vmm !== undefined && host.processes.isAlive(vmm) ? vmm : undefined;
}

/**
 * The VMM of a VM that must run.
 * @throws SilkError `VM_NOT_RUNNING`
 */
export function requireVmm(finder: Pick<VmmFinder, "host">, vm: VmRecord): ProcessIdentity {
  const vmm = recordedVmm(finder, vm);
  if (vmm !== undefined) return vmm;
  throw new SilkError(`the VM ${vm.name} does not run`, {
    code: "VM_NOT_RUNNING",
    kind: "conflict",
    hint: `Start it first: silk vm start ${vm.name}`,
    details: { id: vm.id, name: vm.name },
  });
}

/** The processes of a VM that is to be ended: the one that the record names, or else whatever is found of it. */
export async function livingVmms(
  finder: VmmFinder,
  vm: VmRecord,
): Promise<readonly ProcessIdentity[]> {
  const recorded = recordedVmm(finder, vm);
  return recorded === undefined ? await finder.findVmm(vm) : [recorded];
}

/** A VMM that no record names leaves its socket to be found by: without one, nobody has to look through all processes. */
export async function unrecordedVmm(
  finder: VmmFinder & Pick<BackendContext, "paths">,
  vm: VmRecord,
): Promise<ProcessIdentity | undefined> {
  const socket = await finder.host.files.stat(finder.paths(vm).apiSocketPath);
  return socket === undefined ? undefined : (await finder.findVmm(vm))[0];
}

/** How long a process that was killed may take to go: it may hang in the kernel, on a disk that does not answer. */
const killWaitMs = 10_000;
/** Looks for what was missed so often: a VMM that was just being launched, or its second process. */
const rounds = 3;
/** How long a VMM's second process may take to follow the first. */
const followMs = 500;

/**
 * Ends every process that is this VM's VMM, and resolves once all of them are proved dead: SIGTERM, which the VMM answers by
 * closing its disks in order, and SIGKILL after the grace.
 * @returns the processes that lived, the ones that were known of already first
 * @throws SilkError `VMM_WONT_END`
 */
export async function endVmm(
  finder: VmmFinder,
  vm: VmRecord,
  options: CallOptions & {
    readonly graceMs: number;
    /** Known of already, besides what the record names. */
    readonly known?: ProcessIdentity | undefined;
  },
): Promise<readonly ProcessIdentity[]> {
  const { processes } = finder.host;
  const { known, signal } = options;
  const ended = distinct([known, recordedVmm(finder, vm)]).filter((process) =>
    processes.isAlive(process),
  );
  await Promise.all(ended.map((process) => end(finder, vm, process, options)));
  for (let round = 0; round < rounds; round++) {
    const found = await finder.findVmm(vm);
    if (found.length === 0) return ended;
    await Promise.all(
      found.map(async (process) => {
        // A VMM's second process goes when it sees the first one gone.
        const follows = ended.length > 0;
        const timeoutMs = followMs;
        if (follows && (await processes.waitForExit(process, { timeoutMs, signal }))) return;
        await end(finder, vm, process, options);
      }),
    );
    ended.push(...found);
  }
  const left = await finder.findVmm(vm);
  if (left.length > 0) throw wontEnd(vm, left);
  return ended;
}

async function end(
  finder: VmmFinder,
  vm: VmRecord,
  process: ProcessIdentity,
  { graceMs, signal }: CallOptions & { readonly graceMs: number },
): Promise<void> {
  const { processes } = finder.host;
  await processes.signal(process, "SIGTERM");
  if (await processes.waitForExit(process, { timeoutMs: graceMs, signal })) return;
  await processes.signal(process, "SIGKILL");
  // Without the signal: a process that was killed is waited for, or nobody could tell what became of it.
  if (!(await processes.waitForExit(process, { timeoutMs: killWaitMs })))
    throw wontEnd(vm, [process]);
}

function distinct(processes: readonly (ProcessIdentity | undefined)[]): ProcessIdentity[] {
  const given = processes.filter((process) => process !== undefined);
  return [...new Map(given.map((process) => [process.pid, process])).values()];
}

function wontEnd(vm: VmRecord, living: readonly ProcessIdentity[]): SilkError {
  const pids = living.map(({ pid }) => pid);
  return new SilkError(`the VMM of ${vm.name} does not end: pid ${pids.join(", ")}`, {
    code: "VMM_WONT_END",
    kind: "failed",
    hint: "It hangs in the kernel, mostly on a disk or a device that does not answer: `dmesg` tells more. Run the command again once it is gone.",
    details: { pids },
  });
}
