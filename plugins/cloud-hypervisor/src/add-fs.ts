import { ChApiError, ChTimeoutError } from "@silkvm/ch-client";
import { findServer, type FsData, fsAddFailure, hangUp } from "@silkvm/virtiofs";
import type { AddDevice } from "./hot-plug.ts";
import type { Machine } from "./machine.ts";

/**
 * How long the VMM and a virtiofsd may take to come to terms: milliseconds, where both live. A VMM that finds nobody behind the socket tries for a
 * minute, and waits for ever for somebody who never answers.
 */
const agreeMs = 10_000;
/** How long a VMM that was hung up on may take to say so. */
const resignMs = 3_000;
const lookAgainMs = 200;

/** Adds a shared directory to a VM that runs. */
export function addFs(machine: Machine): AddDevice<FsData> {
  return async (client, vm, { id, data }, options) => {
    const { tag, socket, numQueues, queueSize } = data;
    const answered = new AbortController();
    const watching = hangUpInTime(machine, data, answered.signal);
    try {
      return await client.vm.addFs(
        { tag, socket, num_queues: numQueues, queue_size: queueSize, id },
        { ...options, timeoutMs: agreeMs + (data.dir === undefined ? 0 : resignMs) },
      );
    } catch (error) {
      const timedOut = ChTimeoutError.is(error);
      if (!timedOut && !ChApiError.is(error)) throw error;
      const said = timedOut ? "the VMM does not answer" : error.chain.join(": ");
      const place = { host: machine.host, paths: machine.paths(vm) };
      throw await fsAddFailure(place, vm, data, { said, timedOut, cause: error });
    } finally {
      answered.abort();
      await watching;
    }
  };
}

/** Has the VMM give up a virtiofsd of silk's that dies, or does not answer. Of the user's own nothing is touched. */
async function hangUpInTime(
  { host, logger }: Machine,
  { dir, socket }: FsData,
  signal: AbortSignal,
): Promise<void> {
  if (dir === undefined) return;
  const deadlineMs = host.clock.monotonicMs() + agreeMs;
  const hasPassed = async (ms: number): Promise<boolean> =>
    await host.clock.delay(ms, { signal }).then(
      () => true,
      () => false,
    );
  try {
    do if (!(await hasPassed(lookAgainMs))) return;
    while (host.clock.monotonicMs() < deadlineMs && (await findServer(host, socket)).length > 0);
    if (signal.aborted) return;
    await using _ = await hangUp(host, socket);
    await hasPassed(resignMs);
  } catch (error) {
    // What went wrong with the device itself is told by the VMM.
    logger.warn(`the VMM may wait for ${socket} for a minute: ${(error as Error).message}`);
  }
}
