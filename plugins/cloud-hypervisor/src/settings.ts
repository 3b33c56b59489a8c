import { SilkError } from "@silkvm/core";

/** What the configuration says to this backend. */
export interface Settings {
  /** The VMM program: a name on PATH, or a path. */
  readonly chBinary: string;
  /** How long a VMM may take until its guest runs. */
  readonly startTimeoutMs: number;
}

/** @throws SilkError `INVALID_CONFIG` */
export function readSettings(settings: Readonly<Record<string, unknown>>): Settings {
  const { chBinary = "cloud-hypervisor", startTimeoutMs = 60_000 } = settings;
  if (typeof chBinary !== "string" || chBinary === "")
    throw invalid("chBinary", "the name or the path of a program");
  if (typeof startTimeoutMs !== "number" || !Number.isInteger(startTimeoutMs) || startTimeoutMs < 0)
    throw invalid("startTimeoutMs", "a whole number of milliseconds");
  return { chBinary, startTimeoutMs };
}

function invalid(setting: string, wanted: string): SilkError {
  return new SilkError(`the setting ${setting} must be ${wanted}`, {
    code: "INVALID_CONFIG",
    kind: "invalid",
    details: { setting },
  });
}
