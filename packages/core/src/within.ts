/**
 * Waits for a promise, but not longer than this, and not after the signal aborts. Unlike `AbortSignal.timeout` it keeps the process alive: a
 * promise that nothing is behind would otherwise end the program in the middle.
 * @param onTimeout makes the error of the time that has passed
 */
export async function within<T>(
  promise: Promise<T>,
  timeoutMs: number,
  onTimeout: () => Error,
  signal?: AbortSignal,
): Promise<T> {
  const ended = Promise.withResolvers<never>();
  const timer = setTimeout(() => ended.reject(onTimeout()), timeoutMs);
  const abort = (): void => ended.reject(signal?.reason as Error);
  if (signal?.aborted === true) abort();
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, ended.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
