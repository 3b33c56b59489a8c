import { ChAbortError } from "../errors.ts";
import type { ChEvent } from "./event.ts";
import { EventScanner } from "./event-scanner.ts";

/** How a stream of events is read. */
export interface ParseEventsOptions {
  /** Ends the reading with a ChAbortError. */
  readonly signal?: AbortSignal | undefined;
  /** The longest event that is read; a longer one is left out. Default 64 KiB. */
  readonly maxEventBytes?: number | undefined;
}

export const defaultMaxEventBytes = 64 * 1024;

/**
 * Reads events from a stream: of the descriptor behind `--event-monitor fd=N`, of a FIFO, of a file. What is no event is left out.
 * Ends with the stream.
 */
export async function* parseEvents(
  chunks: AsyncIterable<Uint8Array>,
  options: ParseEventsOptions = {},
): AsyncGenerator<ChEvent, void, undefined> {
  const scanner = new EventScanner(options.maxEventBytes ?? defaultMaxEventBytes);
  const iterator = chunks[Symbol.asyncIterator]();
  const aborted = abortPromise(options.signal);
  let open = true;
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted.promise]);
      if (next.done === true) {
        open = false;
        return;
      }
      yield* scanner.push(next.value);
    }
  } finally {
    aborted.dispose();
    // Not waited for: a stream that is in the middle of a read ends when that does.
    if (open) void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

/** Rejects when the signal aborts. */
function abortPromise(signal: AbortSignal | undefined): {
  readonly promise: Promise<never>;
  dispose(): void;
} {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const abort = (): void => reject(eventsAborted(signal));
  if (signal?.aborted === true) abort();
  signal?.addEventListener("abort", abort, { once: true });
  return { promise, dispose: () => signal?.removeEventListener("abort", abort) };
}

/** Throws where the signal has aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw eventsAborted(signal);
}

function eventsAborted(signal: AbortSignal | undefined): ChAbortError {
  return new ChAbortError({ method: "", operation: "" }, { reason: signal?.reason, sent: false });
}
