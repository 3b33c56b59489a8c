import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { expect, test } from "vitest";
import { hasReflinkFileSystem, reflinkFileSystem } from "../test/reflink-file-system.ts";
import { temporaryDirectory } from "../test/temporary-directory.ts";
import { reflink } from "./reflink.ts";

test.skipIf(!hasReflinkFileSystem)(
  "a reflink takes no room, and a write to one file leaves the other as it was",
  () => {
    using xfs = reflinkFileSystem();
    writeFileSync(`${xfs.path}/a`, Buffer.alloc(32 * 2 ** 20, 1), { flush: true });
    const source = openSync(`${xfs.path}/a`, "r+");
    const copy = openSync(`${xfs.path}/b`, "w+");
    const before = statfsSync(xfs.path).bfree;
    reflink(source, copy);
    expect(before - statfsSync(xfs.path).bfree).toBeLessThan(256);
    expect(fstatSync(copy).size).toBe(32 * 2 ** 20);
    writeSync(copy, "changed", 0);
    closeSync(source);
    closeSync(copy);
    expect(readFileSync(`${xfs.path}/a`).every((byte) => byte === 1)).toBe(true);
    expect(readFileSync(`${xfs.path}/b`).toString("latin1", 0, 8)).toBe("changed\u0001");
  },
);

test("a file system that shares no blocks, or two of them, is an error", () => {
  using disk = temporaryDirectory();
  using memory = temporaryDirectory("/dev/shm");
  writeFileSync(memory.join("a"), "x");
  writeFileSync(disk.join("a"), "x");
  const source = openSync(memory.join("a"), "r");
  const sameFileSystem = openSync(memory.join("b"), "w");
  const other = openSync(disk.join("b"), "w");
  expect(() => reflink(source, sameFileSystem)).toThrow(
    expect.objectContaining({ code: "ENOTSUP", syscall: "ioctl" }),
  );
  expect(() => reflink(source, other)).toThrow(expect.objectContaining({ code: "EXDEV" }));
  for (const fd of [source, sameFileSystem, other]) closeSync(fd);
});
