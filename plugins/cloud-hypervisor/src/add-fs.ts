import { ChApiError, ChTimeoutError } from "@silkvm/ch-client";
import { type FsData, fsAddFailure, hangUpInTime } from "@silkvm/virtiofs";
import type { AddDevice } from "./hot-plug.ts";
import type { Machine } from "./machine.ts";

/**
 * How long the VMM and a virtiofsd may take to come to terms: milliseconds, where both live. A VMM that finds nobody behind the socket tries for a
 * minute, and waits for ever for somebody who never answers.
 */
const agreeMs = 10_000;
/** How long a VMM that was hung up on may take to say so. */
const resignMs = 3_000;

/** Adds a shared directory to a VM that runs. */
export function addFs(machine: Machine): AddDevice<FsData> {
  return async (client, vm, { id, data }, options) => {
    const { tag, socket, numQueues, queueSize } = data;
    const answered = new AbortController();
    const watching = hangUpInTime(machine, data, { agreeMs, resignMs, signal: answered.signal });
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
