import { Deadline, pollDelayMs, type DeadlineOptions } from "./deadline.ts";
import { isNotCreated, isVmmEnding } from "./error-predicates.ts";
import { ChConnectionError, ChVmmEndedError } from "./errors.ts";
import type { ChClient } from "./client.ts";
import type { VmInfo, VmmPingResponse, VmState } from "./schema/info.ts";

/** Options of the waits. `timeoutMs` is the deadline of the whole wait, 30,000 by default; 0 for none. */
export interface WaitOptions extends DeadlineOptions {
  /** Whether the VMM's process still runs, asked when the VMM does not answer: a wait for a process that has ended fails at once. */
  readonly isAlive?: (() => boolean | Promise<boolean>) | undefined;
}

const defaultWaitMs = 30_000;

/**
 * Waits until the VMM's API answers. That is not yet a running VM: a VMM that was started with a VM in its arguments answers before
 * it boots ({@link waitForState}).
 * @throws ChVmmEndedError, ChTimeoutError, ChAbortError.
 */
export function waitForApi(client: ChClient, options: WaitOptions = {}): Promise<VmmPingResponse> {
  return waitFor(options, "its API answered", (callOptions) => client.vmm.ping(callOptions));
}

/**
 * Waits until the VM is in one of the states. While there is no VM, or nobody listens on the socket, it is not.
 * @returns The VM in that state.
 * @throws ChVmmEndedError, ChTimeoutError, ChAbortError.
 */
export function waitForState(
  client: ChClient,
  state: VmState | readonly VmState[],
  options: WaitOptions = {},
): Promise<VmInfo> {
  const states = typeof state === "string" ? [state] : state;
  return waitFor(options, `the VM was ${states.join(" or ")}`, async (callOptions) => {
    const info = await client.vm.info(callOptions);
    return states.includes(info.state) ? info : undefined;
  });
}

async function waitFor<T>(
  { signal, timeoutMs = defaultWaitMs, isAlive }: WaitOptions,
  what: string,
  look: (options: DeadlineOptions) => Promise<T | undefined>,
): Promise<T> {
  using deadline = new Deadline({ method: "", operation: "" }, { signal, timeoutMs });
  let last: unknown;
  for (;;) {
    let failure: unknown;
    try {
      // The wait's own deadline is the only one: a VMM that is busy with something long has not failed.
      const found = await look({ signal: deadline.signal, timeoutMs: 0 });
      if (found !== undefined) return found;
    } catch (error) {
      failure = error;
    }
    const ended = deadline.failure({
      sent: true,
      message: `Waited ${deadline.timeoutMs} ms in vain until ${what}`,
      cause: last,
    });
    if (ended !== undefined) throw ended;
    if (failure !== undefined && !isTransient(failure)) throw failure;
    if (ChConnectionError.is(failure) && (await isAlive?.()) === false)
      throw new ChVmmEndedError(what, failure);
    last = failure;
    await deadline.pause(pollDelayMs(deadline.elapsedMs));
  }
}

/** What may pass while a VMM starts, or has to be told from its end by its process. A socket without permission does not become one with. */
function isTransient(error: unknown): boolean {
  return (
    isNotCreated(error) ||
    isVmmEnding(error) ||
    (ChConnectionError.is(error) && error.reason === "busy")
  );
}
