import { closeSync, openSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryDirectory } from "../test/temporary-directory.ts";
import { lockRange } from "./lock-range-wait.ts";
import { tryLockRange, unlockRange } from "./lock-range.ts";

const byte = { start: 0, length: 1, exclusive: true };
let directory: ReturnType<typeof temporaryDirectory>;
let holder: number;
let waiter: number;

beforeEach(() => {
  directory = temporaryDirectory();
  holder = openSync(directory.join("file"), "w");
  waiter = openSync(directory.join("file"), "r+");
});

afterEach(() => {
  closeSync(holder);
  closeSync(waiter);
  directory[Symbol.dispose]();
});

test("a free lock is taken at once", async () => {
  await lockRange(waiter, byte);
  expect(tryLockRange(holder, byte)).toBe(false);
});

test("a lock that is held is taken when its holder lets go", async () => {
  tryLockRange(holder, byte);
  let taken = false;
  const waiting = lockRange(waiter, byte).then(() => (taken = true));
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(taken).toBe(false);
  unlockRange(holder, byte);
  await waiting;
  expect(tryLockRange(holder, byte)).toBe(false);
});

test("an abort ends the wait with the signal's own reason and takes nothing", async () => {
  tryLockRange(holder, byte);
  const controller = new AbortController();
  const waiting = lockRange(waiter, byte, { signal: controller.signal });
  const reason = new Error("no more");
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  unlockRange(holder, byte);
  expect(tryLockRange(holder, byte)).toBe(true);
});

test("a signal that has aborted before takes nothing, even where the lock is free", async () => {
  await expect(lockRange(waiter, byte, { signal: AbortSignal.abort() })).rejects.toThrow(
    expect.objectContaining({ name: "AbortError" }),
  );
  expect(tryLockRange(holder, byte)).toBe(true);
});

test("a descriptor that cannot be locked rejects instead of waiting", async () => {
  const reader = openSync(directory.join("file"), "r");
  await expect(lockRange(reader, byte)).rejects.toThrow("EBADF");
  closeSync(reader);
});
