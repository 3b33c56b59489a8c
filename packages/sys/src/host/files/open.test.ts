import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import { files } from "./files.ts";

const block = 65_536;
let directory: ReturnType<typeof temporaryDirectory>;
let path: string;

beforeEach(() => {
  directory = temporaryDirectory();
  path = directory.join("file");
});

afterEach(() => directory[Symbol.dispose]());

test("a new file is for its owner alone, and one that is there is EEXIST and keeps its content", async () => {
  {
    await using file = await files.open(path, "create");
    await file.write(Buffer.from("content"), 0);
    const buffer = Buffer.alloc(7);
    expect(await file.read(buffer, 0)).toBe(7);
    expect(buffer.toString()).toBe("content");
  }
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await expect(files.open(path, "create")).rejects.toMatchObject({ code: "EEXIST" });
  expect(readFileSync(path, "utf8")).toBe("content");
  await using other = await files.open(directory.join("other"), "create", { mode: 0o640 });
  expect(await other.stat()).toMatchObject({ kind: "file", mode: 0o640, sizeBytes: 0 });
});

test("an existing file is written to only where it was opened for that", async () => {
  writeFileSync(path, "0123456789");
  await using reader = await files.open(path, "read");
  await expect(reader.write(Buffer.from("x"), 0)).rejects.toMatchObject({ code: "EBADF" });
  await using writer = await files.open(path, "update");
  await writer.write(Buffer.from("ab"), 3);
  await writer.truncate(6);
  await writer.sync();
  expect(readFileSync(path, "utf8")).toBe("012ab5");
  await expect(files.open(directory.join("missing"), "update")).rejects.toMatchObject({
    code: "ENOENT",
  });
});

test("a read fills the buffer, but for the end of the file", async () => {
  writeFileSync(path, Buffer.alloc(3 * block, 7));
  await using file = await files.open(path, "read");
  const buffer = Buffer.alloc(2 * block);
  expect(await file.read(buffer, 0)).toBe(2 * block);
  expect(await file.read(buffer, 2 * block)).toBe(block);
  expect(await file.read(buffer, 3 * block)).toBe(0);
});

test("a symlink is not followed, however it is to be opened", async () => {
  writeFileSync(path, "secret");
  const link = directory.join("link");
  symlinkSync(path, link);
  await expect(files.open(link, "read")).rejects.toMatchObject({ code: "ELOOP" });
  await expect(files.open(link, "update")).rejects.toMatchObject({ code: "ELOOP" });
  symlinkSync(directory.join("elsewhere"), directory.join("dangling"));
  await expect(files.open(directory.join("dangling"), "create")).rejects.toMatchObject({
    code: "EEXIST",
  });
});

test("a FIFO and a directory open at once, and tell what they are", async () => {
  execFileSync("mkfifo", [path]);
  await using fifo = await files.open(path, "read");
  expect(await fifo.stat()).toMatchObject({ kind: "fifo" });
  await using parent = await files.open(directory.path, "read");
  expect(await parent.stat()).toMatchObject({ kind: "directory" });
});

for (const parent of ["/tmp", "/dev/shm"]) {
  test(`data is told apart from holes, old and new, in ${parent}`, async () => {
    using place = temporaryDirectory(parent);
    await using file = await files.open(place.join("file"), "create");
    await file.truncate(10 * block);
    await file.write(Buffer.alloc(4 * block, 1), 2 * block);
    await file.punchHole(3 * block, block);
    expect(await file.nextData(0)).toEqual({ start: 2 * block, end: 3 * block });
    expect(await file.nextData(2 * block + 5)).toEqual({ start: 2 * block + 5, end: 3 * block });
    expect(await file.nextData(3 * block)).toEqual({ start: 4 * block, end: 6 * block });
    expect(await file.nextData(6 * block)).toBeUndefined();
    expect(await file.nextData(10 * block)).toBeUndefined();
    const buffer = Buffer.alloc(block, 9);
    await file.read(buffer, 3 * block);
    expect(buffer.every((value) => value === 0)).toBe(true);
    expect((await file.stat()).allocatedBytes).toBeLessThan(5 * block);
  });
}

test("room is reserved, and more than there is, is ENOSPC", async () => {
  // In memory, where the whole is refused at once: a disk would be filled to its last block first.
  using memory = temporaryDirectory("/dev/shm");
  await using file = await files.open(memory.join("file"), "create");
  await file.allocate(0, 4 * block);
  expect(await file.stat()).toMatchObject({ sizeBytes: 4 * block, allocatedBytes: 4 * block });
  await expect(file.allocate(0, 2 ** 43)).rejects.toMatchObject({ code: "ENOSPC" });
});

test("the end of its scope closes the file", async () => {
  const open = readdirSync("/proc/self/fd").length;
  {
    await using file = await files.open(path, "create");
    expect(await file.stat()).toMatchObject({ sizeBytes: 0 });
  }
  expect(readdirSync("/proc/self/fd").length).toBe(open);
});

test("a file gets a second name, which must be free and on the same file system", async () => {
  writeFileSync(path, "content");
  const second = directory.join("second");
  await files.link(path, second);
  expect(statSync(second).ino).toBe(statSync(path).ino);
  await expect(files.link(path, second)).rejects.toMatchObject({ code: "EEXIST" });
  using memory = temporaryDirectory("/dev/shm");
  await expect(files.link(path, memory.join("second"))).rejects.toMatchObject({ code: "EXDEV" });
});

test("files and directories are synced, and what is missing is ENOENT", async () => {
  writeFileSync(path, "content");
  await files.sync(path);
  await files.sync(directory.path);
  await expect(files.sync(directory.join("missing"))).rejects.toMatchObject({ code: "ENOENT" });
});
