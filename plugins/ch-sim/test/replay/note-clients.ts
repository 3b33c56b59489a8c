import type { Socket } from "node:net";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import type { NoteRow } from "./rows.ts";
import { connect, request } from "./wire.ts";
import { differ, type World } from "./world.ts";

/** How many connections an API serves at a time. */
const CONNECTIONS = 10;

/** Makes the calls that were made at the same time, and compares how many of each ended how. */
export async function noteOfConcurrency(
  world: World,
  results: readonly [string, string][],
): Promise<string[]> {
  const program = world.ending();
  if (program?.socket === undefined) return ["nobody to call"];
  const path = world.sandbox.where(program.socket);
  const told: string[] = [];
  const seen: string[] = [];
  for (let first = 0; first < results.length; first += CONNECTIONS) {
    const group = results.slice(first, first + CONNECTIONS);
    told.push(...group.map(([call, result]) => `${call} ${result.split(" ")[0]}`));
    seen.push(...(await Promise.all(group.map(async ([call]) => await ask(world, path, call)))));
  }
  return differ("answers", told.toSorted(), seen.toSorted());
}

async function ask(world: World, path: string, call: string): Promise<string> {
  const destination = world.sandbox.own("concurrent-snapshot");
  mkdirSync(destination, { recursive: true });
  const body =
    call === "vm.snapshot"
      ? JSON.stringify({ destination_url: `file://${join(destination)}` })
      : null;
  const method =
    call === "vm.info" || call === "vmm.ping" || call === "vm.counters" ? "GET" : "PUT";
  const reply = await request(path, { method, path: `/api/v1/${call}`, body });
  return `${call} ${typeof reply === "string" ? reply : reply.status}`;
}

/** A second client of a serial socket throws the first one out. */
export async function noteOfSerialClients(world: World, row: NoteRow): Promise<string[]> {
  if (row["recv"] !== undefined) {
    const [first] = world.serialClients;
    const ended = first === undefined ? "no client" : await hasEnded(first);
    for (const socket of world.serialClients) socket.destroy();
    return differ("first client", "ended", ended);
  }
  const vmm = world.lastCall?.row.vmm ?? "";
  const serial = (world.created.get(vmm)?.["serial"] as { socket?: string } | undefined)?.socket;
  if (serial === undefined) return ["there is no serial socket"];
  for (const who of ["first", "second"]) {
    const socket = await connect(world.sandbox.where(serial));
    world.serialClients.push(socket);
    socket.resume();
    await pause(50);
    if (socket.destroyed) return [`the ${who} client was thrown out`];
  }
  return [];
}

async function hasEnded(socket: Socket): Promise<string> {
  if (socket.readableEnded || socket.destroyed) return "ended";
  return await new Promise((resolve) => {
    const timer = setTimeout(() => resolve("still connected"), 1_000);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve("ended");
    });
  });
}
