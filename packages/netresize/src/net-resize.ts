import {
  type ChangeNicsOptions,
  checkNicCount,
  type Engine,
  type Nic,
  type NicChange,
  type NicView,
  restated,
  type SilkError,
  toSilkError,
} from "@silkvm/core";
import { planResize } from "./plan-resize.ts";

/** The number of NICs that a VM is to have. */
export interface NetResizeRequest {
  /** How many NICs the VM is to have: 0 to 16. */
  readonly target: number;
}

/** What a resize did. */
export interface NetResizeResult {
  /** How many NICs the VM had. */
  readonly before: number;
  /** How many it has. */
  readonly after: number;
  /** In the order in which they were added. */
  readonly added: readonly Nic[];
  /** In the order in which they were removed. */
  readonly removed: readonly Nic[];
  /** What the user should know of though nothing failed. */
  readonly warnings: readonly string[];
}

/** What has been done so far. */
interface Progress {
  before: number;
  after: number;
  readonly added: Nic[];
  readonly removed: Nic[];
  readonly warnings: string[];
}

/** How a VM was left by a resize that failed. */
interface Left {
  readonly name: string;
  /** TAPs of NICs that its guest was asked to let go of, and has not. */
  readonly leaving: readonly string[];
}

/**
 * Brings a VM to a number of NICs (Go: NetResize): heals what an interrupted resize left, and then adds NICs, or removes them from the end, one at a time. Each is
 * whole or undone before the next one. What fails, or is aborted, leaves what was done before it, and the error's `details` say what that was.
 * @throws SilkError `INVALID_SPEC`, `VM_PAUSED`, `VM_HIBERNATES`, `CAPABILITY_MISSING`, `NETWORK_UNNAMED`, what the network throws, and
 * `DEVICE_NOT_RELEASED` where the guest does not let go of a NIC: the same call may succeed later
 */
export async function netResize(
  engine: Engine,
  ref: string,
  { target }: NetResizeRequest,
  options: ChangeNicsOptions = {},
): Promise<NetResizeResult> {
  checkNicCount(target);
  const done: Progress = { before: 0, after: 0, added: [], removed: [], warnings: [] };
  let left: Left = { name: ref, leaving: [] };
  const onWarning = (message: string): void => {
    done.warnings.push(message);
    options.onWarning?.(message);
  };
  try {
    await engine.nics.change(
      ref,
      async (change) => {
        done.before = change.vm.nics.length;
        done.after = done.before;
        try {
          await resize(change, target, done, onWarning);
        } finally {
          const { name, nics, leavingNics = [] } = change.vm;
          left = { name, leaving: leavingNics.map(({ nic }) => nic.tap) };
          done.after = nics.length;
        }
      },
      { ...options, onWarning },
    );
  } catch (error) {
    throw told(error, { left, target, done });
  }
  return done;
}

async function resize(
  change: NicChange,
  target: number,
  done: Progress,
  warn: (message: string) => void,
): Promise<void> {
  const plan = planResize(await change.look(), target);
  for (const { tap } of plan.leaving)
    warn(`the guest has not let go of the NIC ${tap} yet, which was removed before`);
  for (const lost of plan.repair) {
    const nic = toNic(lost);
    await change.addAgain(nic);
    warn(`the VMM had lost the NIC ${nic.tap}, and has it again`);
  }
  for (const leaving of plan.release) {
    const nic = toNic(leaving);
    await change.release({ nic, deviceId: leaving.deviceId ?? "" });
    done.removed.push(nic);
  }
  for (const view of plan.remove) {
    const nic = toNic(view);
    await change.remove(nic);
    done.removed.push(nic);
  }
  for (let left = plan.add; left > 0; left--) done.added.push(await change.add());
}

/** The NIC as the record has it. */
function toNic({ state: _state, deviceId: _deviceId, bdf: _bdf, ...nic }: NicView): Nic {
  return nic;
}

/** The failure, with what had been done by then. */
function told(
  error: unknown,
  {
    left: { name, leaving },
    target,
    done,
  }: { readonly left: Left; readonly target: number; readonly done: Progress },
): SilkError {
  const failure = toSilkError(error, `cannot change the NICs of ${name}`);
  const { before, after, added, removed, warnings } = done;
  const changed = added.length > 0 || removed.length > 0;
  // What a guest was asked for cannot be taken back by an abort.
  const asked = leaving.length > 0 && failure.code !== "DEVICE_NOT_RELEASED";
  if (!changed && !asked) return failure;
  const has = `${name} has ${after} ${after === 1 ? "NIC" : "NICs"} now, on the way from ${before} to ${target}`;
  const waits = `; its guest was asked to let go of ${leaving.join(", ")}, and may yet`;
  return restated(failure, {
    message: `${failure.message}; ${has}${asked ? waits : ""}`,
    details: { ...failure.details, before, after, target, added, removed, leaving, warnings },
  });
}
