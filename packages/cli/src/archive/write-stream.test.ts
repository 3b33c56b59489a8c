import { execFileSync, spawn } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
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

function* endless(): Generator<Uint8Array> {
  for (;;) yield Buffer.alloc(65_536);
}

it("all of it comes out of a FIFO", async () => {
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const cat = spawn("cat", [fifo]);
  const read = text(cat.stdout);
  const big = "x".repeat(1_000_000);
  await writeToDevice(fifo, "fifo", Readable.from([big, "end"]), signal);
  closeSync(reader);
  expect(await read).toBe(`${big}end`);
});

it("a device takes it as it is", async () => {
  await writeToDevice("/dev/null", "character-device", Readable.from(["archive"]), signal);
});

it("a FIFO that nobody reads is a failure, at once", async () => {
  await expect(writeToDevice(fifo, "fifo", Readable.from(["a"]), signal)).rejects.toMatchObject({
    code: "OUTPUT_CLOSED",
    message: `nobody reads ${fifo}`,
  });
});

it("a FIFO whose reader does nothing is left when nobody wants it any more", async () => {
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const controller = new AbortController();
  const content = Readable.from(endless());
  const written = writeToDevice(fifo, "fifo", content, controller.signal);
  const full = Promise.withResolvers<void>();
  content.once("pause", () => full.resolve());
  await full.promise;
  controller.abort();
  await expect(written).rejects.toMatchObject({ name: "AbortError" });
  closeSync(reader);
});
