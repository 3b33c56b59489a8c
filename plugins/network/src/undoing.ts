import type { OperationContext } from "@silkvm/core";

/** Runs something and, where it fails, what undoes it: without the caller's signal, and without hiding what went wrong first. */
export async function undoing<T>(
  context: OperationContext,
  run: () => Promise<T>,
  undo: () => Promise<void>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    await undo().catch((left: unknown) => {
      context.warn(
        `what was made of the network could not be removed yet: ${left instanceof Error ? left.message : String(left)}`,
      );
    });
    throw error;
  }
}
