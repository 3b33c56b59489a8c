import { delay } from "./delay.ts";
import { type RangeLock, tryLockRange } from "./lock-range.ts";

const firstPauseMs = 1;
const longestPauseMs = 25;

/**
 * Takes an OFD lock on a range of bytes, waiting for its holder as long as it takes.
 *
 * It tries again at pauses that grow from 1 ms to 25 ms, because the kernel's own waiting call (F_OFD_SETLKW) cannot be
 * used here: it would block a thread of Node's small pool, which files and DNS need too, and nothing but a signal to that
 * very thread could end it, so that an abort or a deadline would leave the thread behind, and the lock taken by nobody later.
 * @throws the signal's reason when it aborts; SystemError as `tryLockRange`
 */
export async function lockRange(
  fd: number,
  lock: RangeLock,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  await lockRangeWithin(fd, lock, Infinity, options.signal);
}

/** As {@link lockRange}, but false where the time passed first. A time of 0 tries once. */
export async function lockRangeWithin(
  fd: number,
  lock: RangeLock,
  waitMs: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  signal?.throwIfAborted();
  const deadlineMs = performance.now() + waitMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    if (tryLockRange(fd, lock)) return true;
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0) return false;
    await delay(Math.min(pauseMs, leftMs), signal);
  }
}
