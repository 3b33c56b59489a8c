import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { writeToDevice } from "./write-stream.ts";

const { signal } = new AbortController();
let directory: string;
let fifo: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "silk-archive-"));
  fifo = join(directory, "fifo");
  execFileSync("mkfifo", [fifo]);
});
afterEach(() => rmSync(directory, { recursive: true }));

it("all of it comes out of a FIFO", async () => {
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const cat = spawn("cat", [fifo]);
  const read = text(cat.stdout);
  const big = "x".repeat(1_000_000);
  const pieces = Readable.from([Buffer.from(big), Buffer.from("end")]);
  expect(await writeToDevice(fifo, "fifo", pieces, signal)).toBe(1_000_003);
  closeSync(reader);
  expect(await read).toBe(`${big}end`);
});

it("a device takes it as it is", async () => {
  const content = Readable.from([Buffer.from("archive")]);
  expect(await writeToDevice("/dev/null", "character-device", content, signal)).toBe(7);
});

it("a FIFO that nobody reads is a failure, at once", async () => {
  await expect(writeToDevice(fifo, "fifo", Readable.from(["a"]), signal)).rejects.toMatchObject({
    code: "OUTPUT_CLOSED",
    message: `nobody reads ${fifo}`,
  });
});

it("a FIFO whose reader does nothing is left when nobody wants it any more", async () => {
  const reader = new Socket({ fd: openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK) });
  const controller = new AbortController();
  const content = Readable.from([Buffer.alloc(16 * 1024 ** 2)]);
  const written = writeToDevice(fifo, "fifo", content, controller.signal);
  // Some of it has come, and so much is never taken without being asked for.
  await once(reader, "readable");
  controller.abort();
  await expect(written).rejects.toMatchObject({ name: "AbortError" });
  reader.destroy();
});
