/** An event of QEMU's. */
export interface QmpEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface QmpVersion {
  readonly major: number;
  readonly minor: number;
  readonly micro: number;
}

export type QmpMessage =
  | { readonly kind: "greeting"; readonly version: QmpVersion }
  | { readonly kind: "event"; readonly event: QmpEvent }
  | { readonly kind: "return"; readonly id: number; readonly value: unknown }
  | {
      readonly kind: "error";
      readonly id: number;
      readonly errorClass: string;
      readonly description: string;
    }
  | { readonly kind: "unknown" };

/** What one line of QEMU's says. */
export function readMessage(line: string): QmpMessage {
  const parsed = parse(line);
  if (parsed === undefined) return { kind: "unknown" };
  const version = objectOf(objectOf(objectOf(parsed["QMP"])?.["version"])?.["qemu"]);
  if (version !== undefined)
    return {
      kind: "greeting",
      version: {
        major: numberOf(version["major"]),
        minor: numberOf(version["minor"]),
        micro: numberOf(version["micro"]),
      },
    };
  if (typeof parsed["event"] === "string")
    return {
      kind: "event",
      event: { name: parsed["event"], data: objectOf(parsed["data"]) ?? {} },
    };
  const id = numberOf(parsed["id"]);
  const error = objectOf(parsed["error"]);
  if (error !== undefined)
    return {
      kind: "error",
      id,
      errorClass: String(error["class"]),
      description: String(error["desc"]),
    };
  return "return" in parsed ? { kind: "return", id, value: parsed["return"] } : { kind: "unknown" };
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    return objectOf(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** A JSON object, or undefined. */
export function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : -1;
}
