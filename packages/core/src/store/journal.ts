import type { ProcessIdentity } from "../host.ts";
import type { Nic } from "../vm/record.ts";

/** Operations that take several steps, and are finished or undone when their owner dies in the middle. The last two are on a snapshot. */
export type Verb =
  | "create"
  | "start"
  | "stop"
  | "delete"
  | "snapshot"
  | "hibernate"
  | "clone"
  | "restore"
  | "wake"
  | "attach"
  | "detach"
  | "add-nic"
  | "remove-nic"
  | "import"
  | "delete-snapshot";

/** What an operation has to remember for whoever finishes or undoes it. */
export interface OperationData {
  /** The snapshot that is being made. */
  readonly snapshotSeq?: number | undefined;
  /** Set once the VM is touched by a restore: what follows cannot leave it as it was. */
  readonly touched?: boolean | undefined;
  /** The device that is attached or detached, or the NIC that is added or removed. */
  readonly deviceId?: string | undefined;
  /** The NIC that is added or removed. */
  readonly nic?: Nic | undefined;
}

/** What the journal holds of an operation while it runs: the intent, and who is at it. */
export interface JournalEntry {
  /** Number of the VM, or of the snapshot, that is worked on. */
  readonly seq: number;
  /** Its id. */
  readonly id: string;
  readonly verb: Verb;
  readonly data: OperationData;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly owner: ProcessIdentity;
}
