import { SilkError } from "@silkvm/core";

/** What the configuration says to this backend. */
export interface Settings {
  /** The VMM program: a name on PATH, or a path. */
  readonly chBinary: string;
  /** How long a VMM may take until its guest runs. */
  readonly startTimeoutMs: number;
  /** The UEFI firmware for images that boot by one; empty to look for it. */
  readonly chFirmware: string;
  /** The engine's root directory; undefined where the settings name none. */
  readonly rootDir: string | undefined;
}

/** @throws SilkError `INVALID_CONFIG` */
export function readSettings(settings: Readonly<Record<string, unknown>>): Settings {
  const {
    chBinary = "cloud-hypervisor",
    startTimeoutMs = 60_000,
    chFirmware = "",
    rootDir,
  } = settings;
  if (typeof chBinary !== "string" || chBinary === "")
    throw invalid("chBinary", "the name or the path of a program");
  if (typeof startTimeoutMs !== "number" || !Number.isInteger(startTimeoutMs) || startTimeoutMs < 0)
    throw invalid("startTimeoutMs", "a whole number of milliseconds");
  if (typeof chFirmware !== "string") throw invalid("chFirmware", "the path of a file");
  if (rootDir !== undefined && typeof rootDir !== "string")
    throw invalid("rootDir", "the path of a directory");
  return { chBinary, startTimeoutMs, chFirmware, rootDir };
}

function invalid(setting: string, wanted: string): SilkError {
  return new SilkError(`the setting ${setting} must be ${wanted}`, {
    code: "INVALID_CONFIG",
    kind: "invalid",
    details: { setting },
  });
}
