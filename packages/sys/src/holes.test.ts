import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryDirectory } from "../test/temporary-directory.ts";
import { allocate, nextData, nextHole, punchHole } from "./holes.ts";

const block = 65_536;
let directory: ReturnType<typeof temporaryDirectory>;
let fd: number;

beforeEach(() => {
  directory = temporaryDirectory();
  fd = openSync(directory.join("file"), "w+");
});

afterEach(() => {
  closeSync(fd);
  directory[Symbol.dispose]();
});

function allocatedBytes(): number {
  return fstatSync(fd).blocks * 512;
}

test("data and holes are found in turn up to the end of the file", () => {
  ftruncateSync(fd, 10 * block);
  writeSync(fd, Buffer.alloc(block, 1), 0, block, 2 * block);
  writeSync(fd, Buffer.alloc(block, 1), 0, block, 6 * block);
  expect(nextData(fd, 0)).toBe(2 * block);
  expect(nextHole(fd, 2 * block)).toBe(3 * block);
  expect(nextData(fd, 3 * block)).toBe(6 * block);
  expect(nextHole(fd, 6 * block)).toBe(7 * block);
  expect(nextData(fd, 7 * block)).toBeUndefined();
  expect(nextHole(fd, 7 * block)).toBe(7 * block);
  expect(nextHole(fd, 10 * block)).toBeUndefined();
});

test("offsets beyond 4 GiB are exact", () => {
  const start = 2 ** 40 + block;
  writeSync(fd, Buffer.alloc(block, 1), 0, block, start);
  expect(nextData(fd, 0)).toBe(start);
  expect(nextHole(fd, start)).toBe(start + block);
});

test("a punched range reads as zeros, takes no room, and the size stays", () => {
  writeSync(fd, Buffer.alloc(4 * block, 1));
  const before = allocatedBytes();
  punchHole(fd, block, block);
  expect(allocatedBytes()).toBe(before - block);
  expect(fstatSync(fd).size).toBe(4 * block);
  const bytes = Buffer.alloc(block, 9);
  readSync(fd, bytes, 0, block, block);
  expect(bytes.every((value) => value === 0)).toBe(true);
  expect(nextHole(fd, 0)).toBe(block);
});

test("an allocated range takes room and lengthens the file", () => {
  allocate(fd, block, block);
  expect(fstatSync(fd).size).toBe(2 * block);
  expect(allocatedBytes()).toBeGreaterThanOrEqual(block);
});

test("more than there is room for is an error that names the cause", () => {
  // In memory, where the whole is refused at once: a disk would be filled to its last block first.
  using memory = temporaryDirectory("/dev/shm");
  const file = openSync(memory.join("file"), "w");
  expect(() => allocate(file, 0, 2 ** 43)).toThrow(
    expect.objectContaining({ code: "ENOSPC", syscall: "fallocate" }),
  );
  closeSync(file);
});

test("what is no file has no holes", () => {
  const device = openSync("/dev/null", "r+");
  expect(() => punchHole(device, 0, 1)).toThrow(
    expect.objectContaining({ code: "ENODEV", syscall: "fallocate" }),
  );
  closeSync(device);
  expect(() => nextData(2 ** 20, 0)).toThrow(
    expect.objectContaining({ code: "EBADF", syscall: "lseek" }),
  );
});
