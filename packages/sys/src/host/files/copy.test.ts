import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { expect, test } from "vitest";
import { hasReflinkFileSystem, reflinkFileSystem } from "../../../test/reflink-file-system.ts";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import { copy } from "./copy.ts";

const mebibyte = 2 ** 20;

/** A file of 64 MiB with data at its start, in its middle and at its very end. */
function writeSparse(path: string): void {
  const fd = openSync(path, "w", 0o640);
  for (const position of [0, 20 * mebibyte + 4096, 63 * mebibyte]) {
    writeSync(fd, Buffer.alloc(mebibyte, position % 251 || 7), 0, mebibyte, position);
  }
  closeSync(fd);
}

for (const parent of ["/tmp", "/dev/shm"]) {
  test(`a copy in ${parent} is equal, has the source's mode and keeps its holes`, async () => {
    using directory = temporaryDirectory(parent);
    writeSparse(directory.join("a"));
    await copy(directory.join("a"), directory.join("b"));
    expect(readFileSync(directory.join("a")).equals(readFileSync(directory.join("b")))).toBe(true);
    const [source, target] = [statSync(directory.join("a")), statSync(directory.join("b"))];
    expect(target.mode).toBe(source.mode);
    expect(target.blocks).toBeLessThan(source.size / 512 / 2);
  });
}

test("a copy between two file systems works, also of a file that ends in a hole and of an empty one", async () => {
  using disk = temporaryDirectory();
  using memory = temporaryDirectory("/dev/shm");
  writeFileSync(disk.join("a"), "data");
  truncateSync(disk.join("a"), 10 * mebibyte);
  writeFileSync(disk.join("empty"), "");
  await copy(disk.join("a"), memory.join("a"));
  await copy(disk.join("empty"), memory.join("empty"));
  expect(readFileSync(memory.join("a")).equals(readFileSync(disk.join("a")))).toBe(true);
  expect(statSync(memory.join("a")).blocks).toBeLessThan(64);
  expect(statSync(memory.join("empty")).size).toBe(0);
});

test.skipIf(!hasReflinkFileSystem)(
  "a copy shares the blocks where the file system can",
  async () => {
    using xfs = reflinkFileSystem();
    writeFileSync(`${xfs.path}/a`, Buffer.alloc(64 * mebibyte, 1), { flush: true });
    const before = statfsSync(xfs.path).bfree;
    await copy(`${xfs.path}/a`, `${xfs.path}/b`);
    expect(before - statfsSync(xfs.path).bfree).toBeLessThan(256);
    expect(readFileSync(`${xfs.path}/b`).equals(readFileSync(`${xfs.path}/a`))).toBe(true);
  },
);

test("a target that is there is EEXIST and keeps its content", async () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("a"), "new");
  writeFileSync(directory.join("b"), "old");
  await expect(copy(directory.join("a"), directory.join("b"))).rejects.toMatchObject({
    code: "EEXIST",
  });
  expect(readFileSync(directory.join("b"), "utf8")).toBe("old");
});

test("what is no regular file is refused, and a missing one is ENOENT", async () => {
  using directory = temporaryDirectory();
  execFileSync("mkfifo", [directory.join("fifo")]);
  await expect(copy(directory.join("fifo"), directory.join("b"))).rejects.toMatchObject({
    code: "EINVAL",
  });
  await expect(copy(directory.path, directory.join("b"))).rejects.toMatchObject({ code: "EINVAL" });
  await expect(copy(directory.join("missing"), directory.join("b"))).rejects.toMatchObject({
    code: "ENOENT",
  });
  expect(existsSync(directory.join("b"))).toBe(false);
});

test("a copy that is aborted on its way leaves nothing behind", async () => {
  using disk = temporaryDirectory();
  using memory = temporaryDirectory("/dev/shm");
  writeFileSync(memory.join("a"), Buffer.alloc(64 * mebibyte, 1));
  const controller = new AbortController();
  const copying = copy(memory.join("a"), disk.join("b"), { signal: controller.signal });
  while (!existsSync(disk.join("b"))) await new Promise((resolve) => setImmediate(resolve));
  const reason = new Error("no more");
  controller.abort(reason);
  await expect(copying).rejects.toBe(reason);
  expect(existsSync(disk.join("b"))).toBe(false);
});

test.skipIf(process.getuid?.() !== 0)(
  "a copy that does not fit leaves nothing behind",
  async () => {
    using source = temporaryDirectory();
    using mount = temporaryDirectory();
    writeFileSync(source.join("a"), Buffer.alloc(8 * mebibyte, 1));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", mount.path]);
    try {
      await expect(copy(source.join("a"), mount.join("b"))).rejects.toMatchObject({
        code: "ENOSPC",
      });
      expect(existsSync(mount.join("b"))).toBe(false);
    } finally {
      execFileSync("umount", [mount.path]);
    }
  },
);
