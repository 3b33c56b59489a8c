import type { RestoredMemory } from "../snapshot/restore-mode.ts";
import type { VmProblem } from "./record.ts";

/** Which snapshot, and how long it took. */
export interface SnapshotEventData {
  readonly snapshotId: string;
  readonly snapshotName: string;
  readonly tookMs: number;
}

/** A VM that came up from a snapshot, and how it got its memory. */
export interface LoadEventData extends SnapshotEventData {
  readonly mode: RestoredMemory["used"];
}

/** Which device. */
export interface DeviceEventData {
  readonly kind: string;
  readonly deviceId: string;
  /** Left out where nobody waited for it: a guest that let go of the device later, or a start that attached it again. */
  readonly tookMs?: number | undefined;
}

/** What each kind of event carries besides its {@link EventBase}. */
export interface EventData {
  "vm.created": Record<string, never>;
  "vm.started": { readonly pid: number; readonly tookMs: number };
  "vm.stopped": { readonly forced: boolean; readonly tookMs: number };
  /** The VMM ended by itself: the guest shut down (`clean`), or it crashed or was killed. */
  "vm.exited": { readonly clean: boolean };
  "vm.failed": { readonly verb: string; readonly problem: VmProblem };
  "vm.deleted": Record<string, never>;
  "snapshot.saved": SnapshotEventData;
  "snapshot.imported": SnapshotEventData;
  "snapshot.deleted": Omit<SnapshotEventData, "tookMs">;
  "vm.cloned": LoadEventData;
  "vm.restored": LoadEventData;
  "vm.woken": LoadEventData;
  /** It was saved and ended, in one moment. */
  "vm.hibernated": SnapshotEventData;
  "device.attached": DeviceEventData;
  "device.detached": DeviceEventData;
  /** An interrupted operation was finished or undone. */
  "vm.recovered": { readonly verb: string; readonly outcome: "finished" | "undone" };
}

/** What can have happened. */
export type EventType = keyof EventData;

/** What every event has. */
export interface EventBase {
  /** Grows by each event of a store; resume with `events({ after: seq })`. */
  readonly seq: number;
  /** ISO 8601. */
  readonly at: string;
  /** The VM; for a snapshot, the one that it is of. */
  readonly vmId: string;
  readonly vmName: string;
}

/** Something that happened to a VM. A union by `type`. */
export type SilkEvent = {
  [T in EventType]: EventBase & { readonly type: T; readonly data: EventData[T] };
}[EventType];

/** How often something has happened since the store was made, also what is no longer kept as an event. */
export interface EventTotal {
  readonly type: EventType;
  readonly count: number;
  /** How long it took, where that was told; left out for what takes no time. */
  readonly durations?:
    | {
        readonly count: number;
        readonly sumMs: number;
        /** How many took at most so long, each with those before it. */
        readonly buckets: readonly { readonly leMs: number; readonly count: number }[];
      }
    | undefined;
}
