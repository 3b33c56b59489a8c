/** The events of v53, by source and name, with the properties of each; null for none. */
export interface KnownChEvents {
  readonly vmm: { readonly starting: null; readonly shutdown: null };
  readonly vm: {
    readonly booting: null;
    readonly booted: null;
    readonly pausing: null;
    readonly paused: null;
    readonly resuming: null;
    readonly resumed: null;
    readonly resizing: null;
    readonly resized: null;
    readonly rebooting: null;
    readonly rebooted: null;
    readonly shutdown: null;
    readonly deleted: null;
    readonly snapshotting: null;
    /** Comes before the memory is written, and also when that fails. */
    readonly snapshotted: null;
    readonly restoring: null;
    readonly restored: null;
    readonly coredumping: null;
    readonly coredumped: null;
    /** The guest let go of a device that was removed. */
    readonly "device-removed": { readonly id: string; readonly bdf: string };
    readonly "migration-started": null;
    readonly "migration-memory-iteration": { readonly id: string };
    readonly "migration-finished": null;
    readonly "migration-failed": null;
    readonly "migration-receive-ready": null;
    readonly "migration-receive-started": null;
    readonly "migration-receive-finished": null;
    readonly "migration-receive-failed": null;
    readonly "postcopy-migration-completed": null;
  };
  readonly "virtio-device": {
    readonly activated: { readonly id: string };
    readonly reset: { readonly id: string };
  };
  readonly vdpa: {
    readonly activated: { readonly id: string };
    readonly reset: { readonly id: string };
  };
  /** `event` is `panic`, `crash_loaded` or `unknown_event`. */
  readonly guest: { readonly panic: { readonly event: string } };
}

type AnyString = string & {};

/** Where an event comes from: one of the known sources, or a later version's. */
export type ChEventSource = keyof KnownChEvents | AnyString;

/** What happened: one of the known names, or a later version's. */
export type ChEventName =
  | { [Source in keyof KnownChEvents]: keyof KnownChEvents[Source] }[keyof KnownChEvents]
  | AnyString;

/** One entry of the event monitor. */
export interface ChEvent {
  /** Time since the VMM started. */
  readonly timestamp: { readonly secs: number; readonly nanos: number };
  readonly source: ChEventSource;
  readonly event: ChEventName;
  readonly properties: Readonly<Record<string, string>> | null;
}

/** A {@link ChEvent} that is known, with its properties. */
export type KnownChEvent<
  Source extends keyof KnownChEvents,
  Name extends keyof KnownChEvents[Source],
> = Omit<ChEvent, "source" | "event" | "properties"> & {
  readonly source: Source;
  readonly event: Name;
  readonly properties: KnownChEvents[Source][Name];
};

/** Whether an event is this known one: `if (isEvent(event, "vm", "device-removed")) use(event.properties.id)`. */
export function isEvent<
  Source extends keyof KnownChEvents,
  Name extends keyof KnownChEvents[Source] & string,
>(event: ChEvent, source: Source, name: Name): event is ChEvent & KnownChEvent<Source, Name> {
  return event.source === source && event.event === name;
}

/** When an event happened, in milliseconds since the VMM started. */
export function eventTimeMs({ timestamp }: ChEvent): number {
  return timestamp.secs * 1e3 + timestamp.nanos / 1e6;
}

/** The event that a JSON text is; undefined where it is something else. */
export function toEvent(text: string): ChEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isChEvent(value) ? value : undefined;
}

function isChEvent(value: unknown): value is ChEvent {
  if (!isRecord(value) || !isRecord(value["timestamp"])) return false;
  const { timestamp, source, event, properties } = value;
  const { secs, nanos } = timestamp;
  return (
    typeof secs === "number" &&
    typeof nanos === "number" &&
    typeof source === "string" &&
    typeof event === "string" &&
    (properties === null ||
      (isRecord(properties) &&
        Object.values(properties).every((property) => typeof property === "string")))
  );
}

function isRecord(
  value: unknown,
): value is { readonly [key: string]: unknown; readonly timestamp?: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
