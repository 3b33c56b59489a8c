import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { FILL_MS_PER_GIB, goneMeanwhile, SLOW_ACK_MS } from "./host-env.ts";
import { normalJson } from "./normalize.ts";
import { toReplay } from "./paths.ts";
import { prepareCall } from "./preparations.ts";
import { asJson, type CallRow, callName } from "./rows.ts";
import { request, type Reply } from "./wire.ts";
import { differ, type Outcome, outcome, type World } from "./world.ts";

const GUEST_MS = 100;
const END_MS = 2_000;

/** Makes a call again, and compares its answer. */
export async function runCall(world: World, at: number, row: CallRow): Promise<Outcome> {
  await prepareCall(world, at, row);
  await waitAsRecorded(world, row);
  breakWhatIsBroken(world, at, row);
  const socket = world.socketOf(row.vmm);
  const call = {
    method: row.method,
    path: row.path,
    body: row.request === null ? null : toReplay(row.request),
  };
  const meanwhile = world.recording
    .notesAfter(at)
    .some((note) => typeof note["concurrent_ping_sent_2s_into_the_wait"] === "string");
  const [reply, ping] = await Promise.all([
    request(socket, call),
    meanwhile
      ? pause(50).then(() =>
          request(socket, { method: "GET", path: "/api/v1/vmm.ping", body: null }),
        )
      : undefined,
  ]);
  world.lastCall = { row, reply };
  // A guest that minds being told something is given the time to.
  if (/^vm\.(?:power-button|nmi)$/.test(callName(row)) && row.status === 204) await pause(GUEST_MS);
  world.lastCallAt = at;
  if (ping !== undefined) world.pingMeanwhile = typeof ping === "object" ? ping.status : 0;
  if (callName(row) === "vm.snapshot" && typeof reply === "object" && reply.status === 204) {
    if (world.lastSnapshot !== undefined) world.snapshots.keep(world.lastSnapshot);
  }
  if (row.status === 0 || typeof reply === "string") {
    return outcome(
      differ(
        "answer",
        row.status === 0 ? "none" : String(row.status),
        typeof reply === "string" ? "none" : String(reply.status),
      ),
    );
  }
  return outcome(compareReply(row, reply));
}

/** Compares the status, the headers in their order, and the body. */
export function compareReply(row: CallRow, reply: Reply): string[] {
  const counters = callName(row) === "vm.counters";
  return [
    ...differ("status", row.status, reply.status),
    ...differ("status line", row.status_line, reply.statusLine),
    ...differ(
      "headers",
      headersOf(Object.entries(row.headers)),
      headersOf(reply.headers, reply.body),
    ),
    ...differ("body", normalJson(row.response, counters), normalJson(reply.body, counters)),
  ];
}

/** Headers as one text. A length is right where it is that of the body; a recording's own may have been shortened. */
function headersOf(headers: ReadonlyArray<readonly [string, string]>, body?: string): string {
  return headers
    .map(([name, value]) => {
      const fits =
        name === "Content-Length" &&
        (body === undefined || Number(value) === Buffer.byteLength(body));
      return `${name}: ${fits ? "(that of the body)" : value}`;
    })
    .join("\n");
}

/** Waits where the recorder had: for a guest that takes its time, or for memory to be filled. */
async function waitAsRecorded(world: World, row: CallRow): Promise<void> {
  const name = callName(row);
  // Where nobody listened any more, the VMM had ended by then.
  if (row.curl_exit === 7) await world.sandbox.named(row.vmm)?.waitEnd(END_MS);
  if (name === "vm.snapshot" && row.status === 204) {
    const program = world.sandbox.named(row.vmm);
    const info = program === undefined ? undefined : await world.info(program);
    const bytes = (info?.config["memory"] as { size?: number } | undefined)?.size ?? 0;
    if (world.onDemand.has(row.vmm)) await pause((bytes / 2 ** 30) * FILL_MS_PER_GIB + 50);
  }
  if (name === "vm.restore") {
    const { memory_restore_mode: mode, source_url: url } = (asJson(row.request) ?? {}) as {
      memory_restore_mode?: string;
      source_url?: string;
    };
    if (url !== undefined) world.restoredFrom.set(row.vmm, url.replace("file://", ""));
    if (mode === "OnDemand") world.onDemand.add(row.vmm);
    else world.onDemand.delete(row.vmm);
  }
  if (name === "vm.remove-device" && row.status === 204) {
    const { id } = asJson(row.request) as { id: string };
    world.removals.set(row.vmm, id);
  }
  const id = world.removals.get(row.vmm);
  if (name === "vm.info" && id !== undefined && row.status === 200) {
    const { device_tree: tree } = asJson(row.response) as { device_tree?: object };
    if (!Object.hasOwn(tree ?? {}, id)) {
      world.removals.delete(row.vmm);
      await pause(SLOW_ACK_MS + 50);
    }
  }
}

/** Does what the recording shows to have happened around a call, outside of the VMM or in its guest. */
function breakWhatIsBroken(world: World, at: number, row: CallRow): void {
  const control = world.sandbox.own(`${row.vmm}.control`);
  if (goneMeanwhile(row)) {
    writeFileSync(control, JSON.stringify([{ call: callName(row), action: "guest-exit" }]));
  }
  if (callName(row) !== "vm.resume" || row.status !== 204) return;
  // A VMM that is gone right after its guest went on had lost the memory that it was to fill it from.
  const [next] = world.recording.callsAfter(at, row.vmm);
  const url = world.restoredFrom.get(row.vmm);
  if (next?.[1].status === 0 && world.onDemand.has(row.vmm) && url !== undefined) {
    truncateSync(join(world.sandbox.where(url), "memory-ranges"), 0);
  }
}
