import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readOnlyDirectory } from "../../test/read-only-directory.ts";
import { startScript } from "../../test/script.ts";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { locks } from "./locks.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;

beforeEach(() => {
  directory = temporaryDirectory();
  path = directory.join("locks");
});

afterEach(() => directory[Symbol.dispose]());

test("a lock is taken once in one process too, and again after its release", async () => {
  const lock = await locks.acquire(path, 7, { waitMs: 0 });
  expect(lock).toBeDefined();
  expect(await locks.acquire(path, 7, { waitMs: 0 })).toBeUndefined();
  await using other = await locks.acquire(path, 8, { waitMs: 0 });
  expect(other).toBeDefined();
  await lock?.release();
  await lock?.release();
  await using next = await locks.acquire(path, 7, { waitMs: 0 });
  expect(next).toBeDefined();
});

test("the file is made for its owner alone and stays empty", async () => {
  await using lock = await locks.acquire(path, 2 ** 40, { waitMs: 0 });
  expect(lock).toBeDefined();
  expect(statSync(path)).toMatchObject({ size: 0 });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a lock ends with the scope that it was taken for", async () => {
  {
    await using lock = await locks.acquire(path, 0, { waitMs: 0 });
    expect(await locks.isHeld(path, 0)).toBe(lock !== undefined);
  }
  expect(await locks.isHeld(path, 0)).toBe(false);
});

test("a waiter gets the lock when its holder lets go, and undefined where its time passes first", async () => {
  const lock = await locks.acquire(path, 0, { waitMs: 0 });
  const startMs = performance.now();
  expect(await locks.acquire(path, 0, { waitMs: 50 })).toBeUndefined();
  expect(performance.now() - startMs).toBeGreaterThan(45);
  const waiting = locks.acquire(path, 0, { waitMs: Infinity });
  setTimeout(() => void lock?.release(), 30);
  await using next = await waiting;
  expect(next).toBeDefined();
});

test("an abort ends the wait with the signal's own reason and leaves no descriptor open", async () => {
  await using lock = await locks.acquire(path, 0, { waitMs: 0 });
  const open = readdirSync("/proc/self/fd").length;
  const controller = new AbortController();
  const waiting = locks.acquire(path, 0, { waitMs: Infinity, signal: controller.signal });
  const reason = new Error("no more");
  setTimeout(() => controller.abort(reason), 20);
  await expect(waiting).rejects.toBe(reason);
  expect(readdirSync("/proc/self/fd").length).toBe(open);
  expect(lock).toBeDefined();
});

test("a lock whose file was removed while it was waited for is taken on the new file", async () => {
  const lock = await locks.acquire(path, 0, { waitMs: 0 });
  const waiting = locks.acquire(path, 0, { waitMs: Infinity });
  setTimeout(() => {
    rmSync(path);
    void lock?.release();
  }, 20);
  await using next = await waiting;
  expect(next).toBeDefined();
  expect(await locks.isHeld(path, 0)).toBe(true);
});

test("the lock of a process that is killed is free", async () => {
  await using script = startScript(
    `const { locks } = sys.linuxHost();
     console.log((await locks.acquire(args[0], 5, { waitMs: 0 })) !== undefined);
     setInterval(() => {}, 1000);`,
    path,
  );
  expect(await script.line()).toBe("true");
  expect(await locks.isHeld(path, 5)).toBe(true);
  expect(await locks.acquire(path, 5, { waitMs: 0 })).toBeUndefined();
  await script.kill();
  expect(await locks.isHeld(path, 5)).toBe(false);
});

test("whether a lock is held is seen on a file that cannot be written, and takes nothing", async () => {
  expect(await locks.isHeld(path, 0)).toBe(false);
  expect(readdirSync(directory.path)).toEqual([]);
  writeFileSync(path, "");
  await using lock = await locks.acquire(path, 3, { waitMs: 0 });
  using _readOnly = readOnlyDirectory(directory.path);
  expect(lock).toBeDefined();
  expect(await Promise.all([2, 3, 4].map((offset) => locks.isHeld(path, offset)))).toEqual([
    false,
    true,
    false,
  ]);
});

test("processes that count under a lock lose no step", async () => {
  const counter = directory.join("counter");
  writeFileSync(counter, "0");
  const body = `
    import { readFileSync, writeFileSync } from "node:fs";
    const { locks } = sys.linuxHost();
    for (let step = 0; step < 50; step += 1) {
      await using lock = await locks.acquire(args[0], 0, { waitMs: Infinity });
      writeFileSync(args[1], String(Number(readFileSync(args[1], "utf8")) + 1));
    }
    console.log("done");`;
  const scripts = Array.from({ length: 4 }, () => startScript(body, path, counter));
  for (const script of scripts) {
    expect(await script.line()).toBe("done");
    await script.kill();
  }
  expect(Number(readFileSync(counter, "utf8"))).toBe(200);
});

test("a shared lock goes beside others that share it, and excludes an exclusive one both ways", async () => {
  const first = await locks.acquire(path, 3, { waitMs: 0, shared: true });
  const second = await locks.acquire(path, 3, { waitMs: 0, shared: true });
  expect(first).toBeDefined();
  expect(second).toBeDefined();
  expect(await locks.acquire(path, 3, { waitMs: 0 })).toBeUndefined();
  await first?.release();
  expect(await locks.isHeld(path, 3)).toBe(true);
  expect(await locks.acquire(path, 3, { waitMs: 0 })).toBeUndefined();
  const waiting = locks.acquire(path, 3, { waitMs: Infinity });
  await second?.release();
  await using exclusive = await waiting;
  expect(exclusive).toBeDefined();
  expect(await locks.acquire(path, 3, { waitMs: 0, shared: true })).toBeUndefined();
});
