/**
 * JSON text of a value, without white space. Bigints are written in full, what is undefined is left out, and the order of
 * keys is the object's own.
 */
export function toJson(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(toJson).join(",")}]`;
  const members: string[] = [];
  const entries = value instanceof Map ? value.entries() : Object.entries(value);
  for (const [key, member] of entries) {
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${toJson(member)}`);
  }
  return `{${members.join(",")}}`;
}
