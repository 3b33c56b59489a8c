import { openSync, writeSync } from "node:fs";

import { log, sinceStart } from "./log.ts";

let monitor: number | undefined;

/** Reports events to a descriptor or to a new file. Throws Node's error where the file cannot be made. */
export function setMonitor(target: { readonly path: string } | { readonly fd: number }): void {
  monitor = "fd" in target ? target.fd : openSync(target.path, "w", 0o600);
}

/** Reports that something happened: an indented object and an empty line, as the real program writes them. */
export function event(
  source: "vm" | "vmm",
  name: string,
  properties: Readonly<Record<string, string>> | null = null,
): void {
  const shown =
    properties === null
      ? ""
      : Object.entries(properties)
          .map(([key, value]) => `${key} = ${value}`)
          .join(" ");
  log(
    "vmm",
    "INFO",
    "event_monitor/src/lib.rs:113",
    `Event: source = ${source} event = ${name} ${shown}`,
  );
  if (monitor === undefined) return;
  const now = sinceStart();
  const record = {
    timestamp: { secs: Number(now / 1_000_000_000n), nanos: Number(now % 1_000_000_000n) },
    source,
    event: name,
    properties,
  };
  try {
    writeSync(monitor, `${JSON.stringify(record, undefined, 2)}\n\n`);
  } catch {
    // A reader that has gone is no reason to stop.
  }
}
