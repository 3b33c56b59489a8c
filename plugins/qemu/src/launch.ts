import {
  abandonGraceMs,
  type CallOptions,
  endVmm,
  SilkError,
  VmmEnded,
  type VmRecord,
  type VmRuntime,
} from "@silkvm/core";
import { type AccelChoice, requireAccel } from "./accel.ts";
import { programVersion } from "./ask-program.ts";
import { fromQmp } from "./from-qmp.ts";
import { kvmFailure, lacksDirectIo, launchFailure, stoodInItsOwnWay } from "./launch-failure.ts";
import type { Machine } from "./machine.ts";
import { removeSockets } from "./remove-sockets.ts";
import { ranPath } from "./vmm-processes.ts";
import { vmmProgram } from "./vmm-program.ts";

/** Codes of failures that the program itself may be the reason of. */
const unexplained: ReadonlySet<string> = new Set(["VMM_EXITED", "VMM_LACKS_DEVICE"]);

/** One try. */
export interface Attempt {
  readonly program: string;
  readonly accel: AccelChoice["accel"];
  /** No O_DIRECT for any disk. */
  readonly buffered: boolean;
}

export interface LaunchOptions extends CallOptions {
  /** Begins the message of an error that the monitor has. */
  readonly what: string;
  readonly warn: (message: string) => void;
  /** What the guest has run on. Default: what there is. */
  readonly accel?: AccelChoice["accel"] | undefined;
}

/**
 * Launches a VM's VMM, once what an earlier run has left is cleared away, and tells what fails as an error of silk's. A VMM that no record names, left by a
 * silk that was killed, is ended first: it holds the disks and the sockets. Where a disk's file system has no direct I/O the VM does without, and
 * so it does where KVM opens and does not work, if nobody insists on it.
 * @param attempt launches; where it throws nothing of the VM runs
 */
export async function launch(
  machine: Machine,
  vm: VmRecord,
  { what, signal, warn, accel: fixed }: LaunchOptions,
  attempt: (attempt: Attempt) => Promise<VmRuntime>,
): Promise<VmRuntime> {
  const { host, paths, settings } = machine;
  const program = await vmmProgram(machine);
  let accel = fixed ?? (await requireAccel(machine)).accel;
  await clearRunDir(machine, vm);
  const mayDoWithout = fixed === undefined && settings.qemuAccel === "auto";
  let buffered = false;
  let again = true;
  for (;;) {
    try {
      const runtime = await attempt({ program, accel, buffered });
      await host.files
        .writeAtomic(ranPath(paths(vm)), "", { mode: 0o600 })
        .catch((error: unknown) => {
          machine.logger.debug(
            `it will not be told how ${vm.name} ended: ${(error as Error).message}`,
          );
        });
      return runtime;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof VmmEnded)) throw fromQmp(error, what);
      const kvm = kvmFailure(error.evidence);
      if (again && stoodInItsOwnWay(error.evidence)) again = false;
      else if (!buffered && lacksDirectIo(error.evidence)) {
        buffered = true;
        warn(
          `a disk of ${vm.name} lies on a file system without direct I/O: its writes go through the host's cache`,
        );
      } else if (accel === "kvm" && mayDoWithout && kvm !== undefined) {
        accel = "tcg";
        warn(`KVM does not work here, so ${vm.name} runs without it, and slowly: ${kvm}`);
      } else {
        const failure = await launchFailure(machine, vm, error.evidence);
        // A QEMU that is too old, or none at all, says something else of what it is told.
        if (accel === "kvm" && kvm !== undefined && failure.code === "VMM_EXITED")
          throw kvmBroken(kvm, failure);
        if (unexplained.has(failure.code)) await programVersion(machine, program, { signal });
        throw failure;
      }
    }
  }
}

/** The error for a KVM that opens and cannot run the guest, where nobody may do without. */
function kvmBroken(said: string, cause: SilkError): SilkError {
  return new SilkError(`KVM opens, and does not work here: ${said}`, {
    code: "KVM_UNAVAILABLE",
    kind: "unavailable",
    hint: "Let VMs run without it where it does not work, and slower: silk config set qemuAccel auto",
    details: cause.details,
  });
}

/** Removes what an earlier run has left. */
async function clearRunDir(machine: Machine, vm: VmRecord): Promise<void> {
  const { host, paths } = machine;
  const left = await host.files.list(paths(vm).runDir);
  if (left.length === 0) return;
  // A socket may be in use: it may only go once nobody lives who serves it.
  await endVmm(machine, vm, { graceMs: abandonGraceMs });
  await removeSockets(machine, vm);
}
