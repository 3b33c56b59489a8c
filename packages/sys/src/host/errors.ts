/** Whether a failure of the operating system has one of these errnos. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as { code?: string } | null)?.code ?? "");
}

/** The value of a promise, or the fallback where it fails with one of these errnos. */
export async function orElse<T, F>(
  promise: Promise<T>,
  fallback: F,
  ...codes: readonly string[]
): Promise<T | F> {
  try {
    return await promise;
  } catch (error) {
    if (hasCode(error, ...codes)) return fallback;
    throw error;
  }
}
