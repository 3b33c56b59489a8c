import type { Stats } from "node:fs";
import type { Agent } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import { toRecorded } from "./paths.ts";
import type { Program } from "./program.ts";
import type { KnownConfig, Recording } from "./recording.ts";
import { asJson, type CallRow } from "./rows.ts";
import type { Sandbox } from "./sandbox.ts";
import type { SnapshotStore } from "./snapshot-store.ts";
import { VhostUserBackends } from "./vhost-user.ts";
import type { NoReply, Reply } from "./wire.ts";
import { request } from "./wire.ts";

/** What `vm.info` tells, as far as a replay looks into it. */
export interface KnownInfo {
  readonly config: KnownConfig;
  readonly state: string;
  readonly device_tree?: Readonly<Record<string, unknown>>;
}

/** Everything that the replay of one recording has and has seen. */
export class World {
  readonly recording: Recording;
  readonly sandbox: Sandbox;
  readonly snapshots: SnapshotStore;
  readonly backends = new VhostUserBackends();
  /** The last call that was replayed, and what it was answered with. */
  lastCall: { readonly row: CallRow; readonly reply: Reply | NoReply } | undefined;
  /** Where the last snapshot went, as it was recorded. */
  lastSnapshot: string | undefined;
  /** The body of the last `vm.create` of each VMM. */
  readonly created = new Map<string, KnownConfig>();

  /** VMMs whose memory is filled on demand, and where each VMM was restored from, as recorded. */
  readonly onDemand = new Set<string>();
  readonly restoredFrom = new Map<string, string>();
  /** The device of each VMM whose removal the guest has not been seen to acknowledge. */
  readonly removals = new Map<string, string>();
  /** The status that a ping got that was made during the last call. */
  pingMeanwhile: number | undefined;
  /** The clients of Node's that were made, and the one that goes on being used. */
  agent: Agent | undefined;
  readonly agents: Agent[] = [];
  /** The memory file that the last restore was given, as it was then. */
  lastRefresh: Stats | undefined;
  /** Clients of a serial console. */
  readonly serialClients: Socket[] = [];

  constructor(recording: Recording, sandbox: Sandbox, snapshots: SnapshotStore) {
    this.recording = recording;
    this.sandbox = sandbox;
    this.snapshots = snapshots;
  }

  /** The socket of a VMM. */
  socketOf(name: string): string {
    const path = this.sandbox.named(name)?.socket;
    if (path === undefined) throw new Error(`no VMM of the recording is called ${name}`);
    return this.sandbox.where(path);
  }

  /** What a VMM says of its VM, with recorded paths; undefined where it has none, or says nothing in time. */
  async info(program: Program): Promise<KnownInfo | undefined> {
    if (program.socket === undefined || !program.running) return undefined;
    const call = { method: "GET", path: "/api/v1/vm.info", body: null };
    const timer = new AbortController();
    const reply = await Promise.race([
      request(this.sandbox.where(program.socket), call),
      pause(2_000, undefined, { signal: timer.signal }).catch(() => undefined),
    ]);
    timer.abort();
    if (typeof reply !== "object" || reply.status !== 200) return undefined;
    return asJson(toRecorded(reply.body)) as KnownInfo;
  }

  /** The program that a row about an end is about: that of the last call, or the youngest of those not accounted for. */
  ending(): Program | undefined {
    const open = this.sandbox.programs.filter((program) => !program.accounted);
    const called =
      this.lastCall === undefined ? undefined : this.sandbox.named(this.lastCall.row.vmm);
    const youngest = open.at(-1);
    if (called === undefined || called.accounted) return youngest;
    return youngest !== undefined &&
      youngest.name !== called.name &&
      this.#startedAfterCall(youngest)
      ? youngest
      : called;
  }

  /** Where in the recording each program was started, and the last call made. */
  readonly startedAt = new Map<Program, number>();
  lastCallAt = -1;

  #startedAfterCall(program: Program): boolean {
    return (this.startedAt.get(program) ?? -1) > this.lastCallAt;
  }
}

/** What came of one row: whether it matched, could not be looked at from here, and why. */
export type Outcome =
  | { readonly result: "match" }
  | { readonly result: "unchecked"; readonly why: string }
  | { readonly result: "mismatch"; readonly why: string };

export const MATCH: Outcome = { result: "match" };

/** A match where there are no differences. */
export function outcome(differences: readonly string[]): Outcome {
  return differences.length === 0 ? MATCH : { result: "mismatch", why: differences.join("; ") };
}

/** The difference of two texts, named; none where they are equal. */
export function differ(what: string, expected: unknown, actual: unknown): string[] {
  const [a, b] = [text(expected), text(actual)];
  if (a === b) return [];
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const from = Math.max(0, at - 40);
  return [`${what}: expected …${a.slice(from, at + 400)}… but got …${b.slice(from, at + 400)}…`];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "undefined");
}
