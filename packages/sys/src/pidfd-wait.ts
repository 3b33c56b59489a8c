import { closeSync } from "node:fs";
import { longestTimerMs } from "./delay.ts";
import { checked, koffi, libc } from "./libc.ts";

const F_DUPFD_CLOEXEC = 1030;
const POLLIN = 1;

/**
 * Waits until the process behind a pidfd has ended (it may still be a zombie then). The event loop itself watches the
 * descriptor: no thread is blocked and nothing is polled. The descriptor may be closed, or waited for a second time, meanwhile.
 * @param options.timeoutMs no limit where it is left out or beyond 24 days; 0 only looks
 * @returns false where the time passed first
 * @throws the signal's reason when it aborts; SystemError EBADF where the descriptor is not open
 */
export async function waitPidfd(
  fd: number,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly timeoutMs?: number | undefined;
  } = {},
): Promise<boolean> {
  const { signal, timeoutMs } = options;
  signal?.throwIfAborted();
  if (isReadable(fd)) return true;
  if (timeoutMs === 0) return false;
  // A descriptor of our own: the loop watches each one only once, and must not be left with one that the caller has closed.
  const own = checked("fcntl", () => libc().fcntl(fd, F_DUPFD_CLOEXEC, "int", 0));
  try {
    return await watch(own, signal, timeoutMs);
  } finally {
    closeSync(own);
  }
}

function watch(
  fd: number,
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  // Called by the loop from outside of Node's own callbacks, so promises would not go on from here: an immediate lets them.
  const handle = koffi().node.poll(fd, { readable: true }, () => setImmediate(resolve, true));
  const timer =
    timeoutMs === undefined || timeoutMs > longestTimerMs
      ? undefined
      : setTimeout(resolve, timeoutMs, false);
  const abort = (): void => reject(signal?.reason as Error);
  signal?.addEventListener("abort", abort, { once: true });
  return promise.finally(() => {
    handle.close();
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  });
}

/** `struct pollfd`: the descriptor, the events asked for, the events found. */
function isReadable(fd: number): boolean {
  const pollfd = Buffer.alloc(8);
  pollfd.writeInt32LE(fd, 0);
  pollfd.writeInt16LE(POLLIN, 4);
  checked("poll", () => libc().poll(pollfd, 1, 0));
  return (pollfd.readInt16LE(6) & POLLIN) !== 0;
}
