import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

import { normalRaw } from "./normalize.ts";
import { toRecorded, toReplay } from "./paths.ts";
import type { RawRow } from "./rows.ts";
import { connect } from "./wire.ts";
import { differ, type Outcome, outcome, type World } from "./world.ts";

/** How much of what was sent and received a recording holds. */
const SENT_LIMIT = 600;
const RECEIVED_LIMIT = 3000;
const QUIET_MS = 150;
const PING = "GET /api/v1/vmm.ping HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** Sends bytes again, and compares those that come back. */
export async function runRaw(world: World, row: RawRow): Promise<Outcome> {
  const vmm = world.lastCall?.row.vmm ?? world.sandbox.programs.at(-1)?.name ?? "";
  const path = world.socketOf(vmm);
  if (row.ok !== undefined) return outcome(await countConnections(path, row.ok));
  const socket = await connect(path);
  let received = "";
  let closed = false;
  socket.on("data", (data) => (received += data.toString("latin1")));
  socket.on("close", () => (closed = true));
  socket.on("error", () => (closed = true));
  socket.write(toReplay(wholeSent(row.sent ?? "")), "latin1");
  await quiet(() => received);
  const expected = row.received ?? "";
  const actual = toRecorded(received);
  const cut = expected.length >= RECEIVED_LIMIT ? actual.slice(0, expected.length) : actual;
  const differences = [
    ...differ("received", normalRaw(expected), normalRaw(cut)),
    ...differ("closed by the server", row.server_closed, closed),
  ];
  socket.destroy();
  return outcome(differences);
}

/** A long request was recorded from its beginning; the rest is its last character again, as long as it has to be. */
function wholeSent(sent: string): string {
  if (sent.length < SENT_LIMIT) return sent;
  const last = sent.at(-1) ?? " ";
  const body = sent.indexOf("\r\n\r\n");
  if (body === -1) return `${sent.padEnd(9000, last)}\r\n\r\n`;
  const length = Number(/Content-Length: (\d+)/i.exec(sent)?.[1] ?? 0);
  return sent.padEnd(body + 4 + length, last);
}

/** Waits until nothing has come for a while. */
async function quiet(text: () => string): Promise<void> {
  for (let before = -1; before !== text().length;) {
    before = text().length;
    await pause(QUIET_MS);
  }
}

/** Opens connections until one is not served. */
async function countConnections(path: string, expected: number): Promise<string[]> {
  const sockets: Socket[] = [];
  let served = 0;
  for (let index = 0; index < expected + 1; index++) {
    const socket = await connect(path);
    sockets.push(socket);
    if (await isServed(socket)) served++;
  }
  for (const socket of sockets) socket.destroy();
  await pause(QUIET_MS);
  return differ("connections served", expected, served);
}

async function isServed(socket: Socket): Promise<boolean> {
  return await new Promise((resolve) => {
    socket.once("data", (data) => resolve(data.toString("latin1").startsWith("HTTP/1.1 200")));
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
    socket.write(PING);
  });
}
