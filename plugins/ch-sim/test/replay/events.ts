/** One event of a VMM's event monitor. */
export interface MonitorEvent {
  readonly source: string;
  readonly event: string;
  readonly properties: unknown;
}

/** The events of a monitor's file; an unfinished one at its end is left out. */
export function recordedEvents(text: string): MonitorEvent[] {
  return text
    .split("\n\n")
    .filter((part) => part.trimEnd().endsWith("}"))
    .map((part) => JSON.parse(part) as MonitorEvent);
}
