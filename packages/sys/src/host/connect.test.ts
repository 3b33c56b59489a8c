import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { connect } from "./connect.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let server: Server;
let path: string;

beforeEach(async () => {
  directory = temporaryDirectory();
  path = directory.join("socket");
  server = createServer((socket) => socket.pipe(socket)).listen(path);
  await once(server, "listening");
});

afterEach(() => {
  server.close();
  directory[Symbol.dispose]();
});

test("what goes into the connection comes back", async () => {
  const socket = await connect(path);
  socket.end("hello");
  expect(await text(socket)).toBe("hello");
});

test("a socket that is missing, dead or no socket is an error with its cause", async () => {
  await expect(connect(directory.join("missing"))).rejects.toMatchObject({ code: "ENOENT" });
  writeFileSync(directory.join("file"), "");
  await expect(connect(directory.join("file"))).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("an abort before rejects with the signal's own reason, one after leaves the connection alone", async () => {
  const reason = new Error("no more");
  await expect(connect(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const controller = new AbortController();
  const socket = await connect(path, { signal: controller.signal });
  controller.abort(reason);
  socket.end("still here");
  expect(await text(socket)).toBe("still here");
});

test("an abort ends an attempt that is under way", async () => {
  const controller = new AbortController();
  const connecting = connect(path, { signal: controller.signal });
  const reason = new Error("no more");
  controller.abort(reason);
  await expect(connecting).rejects.toBe(reason);
});
