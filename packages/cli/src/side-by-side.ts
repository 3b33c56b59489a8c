/**
 * Does something `count` times, at most `concurrency` at once, in their order.
 * @returns what each came to, in their order
 */
export async function sideBySide<T>(
  count: number,
  concurrency: number,
  run: (index: number) => Promise<T>,
): Promise<readonly T[]> {
  const results = Array.from<T>({ length: count });
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      results[index] = await run(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, concurrency) }, work));
  return results;
}
