import { closeSync, openSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { startScript } from "../test/script.ts";
import { temporaryDirectory } from "../test/temporary-directory.ts";
import { queryLock, tryLockRange, unlockRange } from "./lock-range.ts";

const byte = { start: 7, length: 1, exclusive: true };
const toEnd = { start: 0, length: 0, exclusive: true };

/** A file in a directory of its own, and as many descriptors of it as asked for. */
function openFile(
  ...flags: string[]
): Disposable & { readonly path: string; readonly fds: number[] } {
  const directory = temporaryDirectory();
  const path = directory.join("file");
  writeFileSync(path, "");
  const fds = flags.map((flag) => openSync(path, flag));
  return {
    path,
    fds,
    [Symbol.dispose]: () => {
      for (const fd of fds) closeSync(fd);
      directory[Symbol.dispose]();
    },
  };
}

test("two descriptors of one process exclude each other", () => {
  using file = openFile("r+", "r+");
  const [first = -1, second = -1] = file.fds;
  expect(tryLockRange(first, byte)).toBe(true);
  expect(tryLockRange(second, byte)).toBe(false);
  unlockRange(first, byte);
  expect(tryLockRange(second, byte)).toBe(true);
});

test("locks of different bytes do not meet, and a lock to the end meets every byte after its start", () => {
  using file = openFile("r+", "r+");
  const [first = -1, second = -1] = file.fds;
  expect(tryLockRange(first, byte)).toBe(true);
  expect(tryLockRange(second, { ...byte, start: 8 })).toBe(true);
  expect(tryLockRange(second, { ...toEnd, start: 9 })).toBe(true);
  expect(tryLockRange(second, toEnd)).toBe(false);
});

test("shared locks go together and keep an exclusive one out", () => {
  using file = openFile("r+", "r", "r+");
  const [first = -1, second = -1, third = -1] = file.fds;
  expect(tryLockRange(first, { ...byte, exclusive: false })).toBe(true);
  expect(tryLockRange(second, { ...byte, exclusive: false })).toBe(true);
  expect(tryLockRange(third, byte)).toBe(false);
});

test("offsets up to 2^53 are told apart to the byte", () => {
  using file = openFile("r+", "r+");
  const [first = -1, second = -1] = file.fds;
  const last = { start: Number.MAX_SAFE_INTEGER, length: 1, exclusive: true };
  expect(tryLockRange(first, last)).toBe(true);
  expect(tryLockRange(second, { ...last, start: last.start - 1 })).toBe(true);
  expect(tryLockRange(second, last)).toBe(false);
  expect(queryLock(second, last)).toEqual({ ...last, pid: -1 });
});

test("closing another descriptor of the file keeps the lock, closing its own gives it back", () => {
  using file = openFile("r+");
  const [observer = -1] = file.fds;
  const owner = openSync(file.path, "r+");
  const other = openSync(file.path, "r+");
  expect(tryLockRange(owner, byte)).toBe(true);
  closeSync(other);
  expect(tryLockRange(observer, byte)).toBe(false);
  closeSync(owner);
  expect(tryLockRange(observer, byte)).toBe(true);
});

test("the lock of a process that is killed is free", async () => {
  using file = openFile("r+");
  const [fd = -1] = file.fds;
  await using script = startScript(
    `import { openSync } from "node:fs";
     console.log(sys.tryLockRange(openSync(args[0], "r+"), { start: 7, length: 1, exclusive: true }));
     setInterval(() => {}, 1000);`,
    file.path,
  );
  expect(await script.line()).toBe("true");
  expect(tryLockRange(fd, byte)).toBe(false);
  await script.kill();
  expect(tryLockRange(fd, byte)).toBe(true);
});

test("a query by a descriptor for reading names the lock in the way and takes nothing", () => {
  using file = openFile("r+", "r", "r+");
  const [owner = -1, reader = -1, other = -1] = file.fds;
  expect(queryLock(reader, toEnd)).toBeUndefined();
  expect(tryLockRange(other, { start: 100, length: 1, exclusive: true })).toBe(true);
  unlockRange(other, toEnd);
  expect(tryLockRange(owner, { start: 7, length: 3, exclusive: false })).toBe(true);
  expect(queryLock(reader, toEnd)).toEqual({ pid: -1, exclusive: false, start: 7, length: 3 });
  expect(queryLock(reader, { ...toEnd, exclusive: false })).toBeUndefined();
  expect(queryLock(owner, toEnd)).toBeUndefined();
});

test("a query names the process behind a classic lock", async () => {
  using file = openFile("r+");
  const [fd = -1] = file.fds;
  await using python = startScript(
    `import { spawn } from "node:child_process";
     const child = spawn("python3", ["-c", "import fcntl,sys,time\\nf=open(sys.argv[1],'r+')\\nfcntl.lockf(f,fcntl.LOCK_EX)\\nprint(flush=True)\\ntime.sleep(60)", args[0]]);
     child.stdout.once("data", () => console.log(child.pid));
     process.stdin.on("end", () => child.kill("SIGKILL")).resume();
     child.on("exit", () => process.exit());`,
    file.path,
  );
  const pid = Number(await python.line());
  expect(queryLock(fd, byte)).toEqual({ pid, exclusive: true, start: 0, length: 0 });
  python.child.stdin?.end();
  expect(await python.line()).toBeUndefined();
});

test("an exclusive lock on a descriptor for reading is EBADF", () => {
  using file = openFile("r");
  const [fd = -1] = file.fds;
  expect(() => tryLockRange(fd, byte)).toThrow(
    expect.objectContaining({
      name: "SystemError",
      code: "EBADF",
      errno: -9,
      syscall: "fcntl",
      message: "EBADF: bad file descriptor, fcntl",
    }),
  );
});

test("a start that is no whole number or negative is refused", () => {
  using file = openFile("r+");
  const [fd = -1] = file.fds;
  expect(() => tryLockRange(fd, { ...byte, start: 0.5 })).toThrow(RangeError);
  expect(() => tryLockRange(fd, { ...byte, start: -1 })).toThrow("EINVAL");
});
