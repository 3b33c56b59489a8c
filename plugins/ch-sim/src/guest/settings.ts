import { checkNumber, checkObject, checkString, checkWord } from "../check.ts";

/** What the simulated guest does when the VMM asks something of it. */
export interface GuestSettings {
  /** When the guest lets a removed device go, in milliseconds; "never" is a guest that does not mind. */
  readonly ackRemoval: number | "never";
  /** When the guest lets a removed vCPU go. */
  readonly ackVcpus: number | "never";
  /** When the guest takes in memory that it is given, or gives away memory that its balloon is to take. */
  readonly ackMemory: number | "never";
  /** What the power button does. */
  readonly powerButton: "shutdown" | "reboot" | "ignore";
  /** What a non-maskable interrupt does. */
  readonly nmi: "ignore" | "reboot";
  /** How long the guest takes to shut down, in milliseconds. */
  readonly shutdownMs: number;
  /** The host name that its shell shows. */
  readonly hostname: string;
  /** What the guest does by itself as soon as it is up. */
  readonly atBoot: "run" | "poweroff" | "reboot" | "crash";
}

const KEYS = [
  "ackRemoval",
  "ackVcpus",
  "ackMemory",
  "powerButton",
  "nmi",
  "shutdownMs",
  "hostname",
  "atBoot",
] as const;

/** Checks what was given; undefined is a guest that behaves well. */
export function parseGuest(value: unknown): GuestSettings {
  const given = checkObject(value ?? {}, "the guest", KEYS);
  return {
    ackRemoval: acknowledgement(given["ackRemoval"], "ackRemoval"),
    ackVcpus: acknowledgement(given["ackVcpus"], "ackVcpus"),
    ackMemory: acknowledgement(given["ackMemory"], "ackMemory"),
    powerButton: checkWord(
      given["powerButton"],
      "powerButton",
      ["shutdown", "reboot", "ignore"],
      "shutdown",
    ),
    nmi: checkWord(given["nmi"], "nmi", ["ignore", "reboot"], "ignore"),
    shutdownMs: checkNumber(given["shutdownMs"], "shutdownMs", 20),
    hostname: checkString(given["hostname"], "hostname", "silk"),
    atBoot: checkWord(given["atBoot"], "atBoot", ["run", "poweroff", "reboot", "crash"], "run"),
  };
}

function acknowledgement(value: unknown, where: string): number | "never" {
  if (value === "never") return "never";
  if (typeof value === "string")
    throw new Error(`${where} has to be a number of milliseconds or "never"`);
  return checkNumber(value, where, 10);
}
