import type { SilkEvent } from "@silkvm/core";
import { printableLine } from "./output/printable.ts";

/** An event as one line for a person: number, time, type, VM, facts. */
export function renderEvent(event: SilkEvent): string {
  const facts = factsOf(event).map(([name, value]) => `${name}=${renderFact(value)}`);
  const words = [
    String(event.seq),
    event.at,
    event.type,
    event.vmName,
    `(${event.vmId})`,
    ...facts,
  ];
  return `${words.map(printableLine).join("  ")}\n`;
}

/** The facts of its type; a snapshot's name and id are one. */
function factsOf({ data }: SilkEvent): [name: string, value: unknown][] {
  if (!("snapshotId" in data)) return Object.entries(data);
  const { snapshotId, snapshotName, ...others } = data;
  return [["snapshot", `${snapshotName} (${snapshotId})`], ...Object.entries(others)];
}

function renderFact(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const { code, message } = value as { code?: unknown; message?: unknown };
  return typeof code === "string" && typeof message === "string"
    ? `${code}: ${message}`
    : JSON.stringify(value);
}
