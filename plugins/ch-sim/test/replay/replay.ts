import { World, type Outcome } from "./world.ts";
import { setTimeout as pause } from "node:timers/promises";

import { Recording } from "./recording.ts";
import type { NodeHttpRow, Row } from "./rows.ts";
import { runCall } from "./run-call.ts";
import { runNodeHttp } from "./run-node-http.ts";
import { runNote } from "./run-note.ts";
import { runProc } from "./run-proc.ts";
import { runRaw } from "./run-raw.ts";
import { Sandbox } from "./sandbox.ts";
import { SnapshotStore } from "./snapshot-store.ts";

const CLOSE_MS = 50;

/** A row and what came of it. */
export interface Replayed {
  readonly at: number;
  readonly row: Row;
  readonly outcome: Outcome;
}

/** Replays a recording against the VMM program, row by row. */
export async function replay(
  path: string,
  watch?: (replayed: Replayed) => void,
): Promise<Replayed[]> {
  const recording = new Recording(path);
  const sandbox = new Sandbox();
  const world = new World(recording, sandbox, new SnapshotStore(sandbox.own("snapshots")));
  const all: Replayed[] = [];
  const add = (at: number, row: Row, outcome: Outcome): void => {
    const replayed = { at, row, outcome };
    all.push(replayed);
    watch?.(replayed);
  };
  try {
    for (let at = 0; at < recording.rows.length; at++) {
      const row = recording.rows[at];
      if (row === undefined) break;
      if (row.kind === "node-http") {
        const group = groupOf(recording.rows, at);
        const outcomes = await guarded(() => runNodeHttp(world, group), group.length);
        for (const [index, one] of group.entries())
          add(at + index, one, outcomes[index] ?? { result: "mismatch", why: "not made" });
        at += group.length - 1;
      } else {
        if (closeAgents(world)) await pause(CLOSE_MS);
        const [outcome] = await guarded(async () => [await runRow(world, at, row)], 1);
        add(at, row, outcome ?? { result: "mismatch", why: "not made" });
      }
    }
  } finally {
    closeAgents(world);
    for (const socket of world.serialClients) socket.destroy();
    world.backends.close();
    await sandbox.dispose();
  }
  return all;
}

async function runRow(world: World, at: number, row: Exclude<Row, NodeHttpRow>): Promise<Outcome> {
  switch (row.kind) {
    case "call":
      return await runCall(world, at, row);
    case "proc":
      return await runProc(world, at, row);
    case "raw":
      return await runRaw(world, row);
    default:
      return await runNote(world, at, row);
  }
}

/** What goes wrong in a replay is a difference, too. */
async function guarded(run: () => Promise<Outcome[]>, count: number): Promise<Outcome[]> {
  try {
    return await run();
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return Array.from({ length: count }, () => ({ result: "mismatch", why }));
  }
}

/** Requests that were made at the same time differ only in their number. */
function groupOf(rows: readonly Row[], at: number): NodeHttpRow[] {
  const stem = (row: Row | undefined): string | undefined =>
    row?.kind === "node-http" ? /^(.*) #\d+$/.exec(row.step)?.[1] : undefined;
  const first = rows[at] as NodeHttpRow;
  const name = stem(first);
  if (name === undefined) return [first];
  let end = at;
  while (stem(rows[end]) === name) end++;
  return rows.slice(at, end) as NodeHttpRow[];
}

/** Closes idle connections, and says whether there were any: the VMM needs a moment to notice. */
function closeAgents(world: World): boolean {
  const agents = world.agents.splice(0);
  for (const agent of agents) agent.destroy();
  world.agent = undefined;
  return agents.length > 0;
}

/** How many rows of each kind matched. */
export function tally(
  all: readonly Replayed[],
): Record<string, { rows: number; matched: number; unchecked: number }> {
  const kinds: Record<string, { rows: number; matched: number; unchecked: number }> = {};
  for (const { row, outcome } of all) {
    const kind = (kinds[row.kind] ??= { rows: 0, matched: 0, unchecked: 0 });
    kind.rows++;
    if (outcome.result === "match") kind.matched++;
    if (outcome.result === "unchecked") kind.unchecked++;
  }
  return kinds;
}
