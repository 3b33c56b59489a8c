/** Milliseconds of one thing, between others that do not count. */
export async function timed(
  run: () => unknown,
  before?: () => Promise<unknown>,
  after?: () => Promise<unknown>,
): Promise<number> {
  await before?.();
  const began = performance.now();
  await run();
  const tookMs = performance.now() - began;
  await after?.();
  return tookMs;
}
