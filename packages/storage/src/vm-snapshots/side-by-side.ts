import type { CallOptions } from "@silkvm/core";

/**
 * Does several things at once. The first failure ends the others, and is thrown when all of them have ended: nothing goes on behind the
 * caller's back.
 */
export async function sideBySide<T>(
  items: readonly T[],
  work: (item: T, signal: AbortSignal) => Promise<void>,
  { signal }: CallOptions,
): Promise<void> {
  signal?.throwIfAborted();
  const failed = new AbortController();
  const either = AbortSignal.any([failed.signal, ...(signal === undefined ? [] : [signal])]);
  const outcomes = await Promise.allSettled(
    items.map(async (item) => {
      try {
        await work(item, either);
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    }),
  );
  if (outcomes.every(({ status }) => status === "fulfilled")) return;
  signal?.throwIfAborted();
  throw failed.signal.reason;
}
