import { usageError } from "../cli-error.ts";

/**
 * Reads a whole number.
 * @throws CliError of kind `invalid`
 */
export function parseInteger(text: string, limits: { readonly min: number }): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw usageError(`${JSON.stringify(text)} is no whole number`);
  if (value < limits.min)
    throw usageError(`${text} is too small: it must be at least ${limits.min}`);
  return value;
}
