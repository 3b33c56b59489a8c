/** Small checks of values that come out of JSON written by a person. Each throws an Error that says what was expected where. */

/** An object with no other keys than those named. */
export function checkObject(
  value: unknown,
  where: string,
  keys: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`${where} has to be an object`);
  for (const key of Object.keys(value)) {
    if (!keys.includes(key))
      throw new Error(`${where} has no "${key}"; it knows ${keys.join(", ")}`);
  }
  return value as Readonly<Record<string, unknown>>;
}

/** A string, or what stands for a missing one. */
export function checkString<T>(value: unknown, where: string, missing: T): string | T {
  if (value === undefined) return missing;
  if (typeof value !== "string") throw new Error(`${where} has to be a string`);
  return value;
}

/** A boolean, or what stands for a missing one. */
export function checkBoolean<T>(value: unknown, where: string, missing: T): boolean | T {
  if (value === undefined) return missing;
  if (typeof value !== "boolean") throw new Error(`${where} has to be true or false`);
  return value;
}

/** A whole number that is not negative, or what stands for a missing one. */
export function checkNumber<T>(value: unknown, where: string, missing: T): number | T {
  if (value === undefined) return missing;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new Error(`${where} has to be a whole number that is not negative`);
  }
  return value;
}

/** One of a list of words, or what stands for a missing one. */
export function checkWord<const W extends string, T>(
  value: unknown,
  where: string,
  words: readonly W[],
  missing: T,
): W | T {
  if (value === undefined) return missing;
  const word = words.find((candidate) => candidate === value);
  if (word === undefined)
    throw new Error(`${where} has to be one of ${words.map((name) => `"${name}"`).join(", ")}`);
  return word;
}
