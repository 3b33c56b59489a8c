import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import { files } from "./files.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;

beforeEach(() => {
  directory = temporaryDirectory();
  path = directory.join("file");
});

afterEach(() => directory[Symbol.dispose]());

test("stat tells what is there, through symlinks, and undefined where nothing is", async () => {
  writeFileSync(path, "12345", { mode: 0o640 });
  symlinkSync(path, directory.join("link"));
  symlinkSync(directory.join("missing"), directory.join("dangling"));
  const stats = statSync(path);
  expect(await files.stat(directory.join("link"))).toEqual({
    kind: "file",
    sizeBytes: 5,
    uid: stats.uid,
    allocatedBytes: stats.blocks * 512,
    mode: 0o640,
    device: stats.dev,
    inode: stats.ino,
    modifiedMs: stats.mtimeMs,
  });
  expect(await files.stat(directory.join("dangling"))).toBeUndefined();
  expect(await files.stat(directory.join("missing"))).toBeUndefined();
  expect(await files.stat(`${path}/below a file`)).toBeUndefined();
});

test("stat tells the kinds apart", async () => {
  const server = createServer().listen(directory.join("socket"));
  await once(server, "listening");
  expect((await files.stat(directory.path))?.kind).toBe("directory");
  expect((await files.stat("/dev/null"))?.kind).toBe("character-device");
  expect((await files.stat(directory.join("socket")))?.kind).toBe("socket");
  server.close();
});

test("a directory is listed in order, and a missing one is empty", async () => {
  for (const name of ["b", "a", "C"]) writeFileSync(directory.join(name), "");
  expect(await files.list(directory.path)).toEqual(["C", "a", "b"]);
  expect(await files.list(directory.join("missing"))).toEqual([]);
  await expect(files.list(directory.join("a"))).rejects.toMatchObject({ code: "ENOTDIR" });
});

test("mkdir fails where the file system lets nobody make a directory", async () => {
  await expect(files.mkdir("/proc/silk/a", { mode: 0o700 })).rejects.toMatchObject({
    code: "ENOENT",
  });
});

test("many may make the same directory at once", async () => {
  const deep = directory.join("x/y/z");
  await Promise.all(Array.from({ length: 20 }, () => files.mkdir(deep, { mode: 0o700 })));
  expect(statSync(deep).mode & 0o777).toBe(0o700);
});

test("mkdir makes the parents too, and leaves a directory that is there as it was", async () => {
  await files.mkdir(directory.join("a/b"), { mode: 0o700 });
  expect(statSync(directory.join("a/b")).mode & 0o777).toBe(0o700);
  await files.mkdir(directory.join("a/b"), { mode: 0o755 });
  expect(statSync(directory.join("a/b")).mode & 0o777).toBe(0o700);
  writeFileSync(path, "");
  await expect(files.mkdir(path, { mode: 0o700 })).rejects.toMatchObject({ code: "EEXIST" });
  await expect(files.mkdir(`${path}/below`, { mode: 0o700 })).rejects.toMatchObject({
    code: "ENOTDIR",
  });
});

test("access is what this process may do, and nothing may be done with what is missing", async () => {
  writeFileSync(path, "", { mode: 0o600 });
  expect(await files.canAccess(path, "read")).toBe(true);
  expect(await files.canAccess(path, "write")).toBe(true);
  expect(await files.canAccess(path, "execute")).toBe(false);
  expect(await files.canAccess(directory.join("missing"), "read")).toBe(false);
  expect(await files.canAccess("/proc/version", "write")).toBe(process.getuid?.() === 0);
});

test("a range is cut at the end of the file", async () => {
  writeFileSync(path, "0123456789");
  expect(Buffer.from(await files.readRange(path, 2, 3)).toString()).toBe("234");
  expect(Buffer.from(await files.readRange(path, 8, 100)).toString()).toBe("89");
  expect((await files.readRange(path, 10, 1)).length).toBe(0);
});

test("a sparse file has its size and takes no room, and an existing file is not touched", async () => {
  await files.createSparse(path, 2 ** 33, { mode: 0o600 });
  const stats = await files.stat(path);
  expect(stats).toMatchObject({ sizeBytes: 2 ** 33, mode: 0o600 });
  expect(stats?.allocatedBytes).toBeLessThan(2 ** 16);
  await expect(files.createSparse(path, 1, { mode: 0o600 })).rejects.toMatchObject({
    code: "EEXIST",
  });
  expect((await files.stat(path))?.sizeBytes).toBe(2 ** 33);
});

test("a sparse file beyond what the file system can hold leaves nothing behind", async () => {
  await expect(files.createSparse(path, 2 ** 52, { mode: 0o600 })).rejects.toMatchObject({
    code: "EFBIG",
  });
  expect(existsSync(path)).toBe(false);
});

test("remove takes a tree away without following its symlinks, and is content where nothing is", async () => {
  mkdirSync(directory.join("kept"));
  writeFileSync(directory.join("kept/file"), "");
  mkdirSync(directory.join("tree/below"), { recursive: true });
  writeFileSync(directory.join("tree/below/file"), "");
  symlinkSync(directory.join("kept"), directory.join("tree/link"));
  await files.remove(directory.join("tree"));
  await files.remove(directory.join("tree"));
  await files.remove(directory.join("kept/file/below"));
  expect(readdirSync(directory.path)).toEqual(["kept"]);
  expect(readdirSync(directory.join("kept"))).toEqual(["file"]);
});

test("text, realpath, rename and chmod do what they say and report what is missing", async () => {
  writeFileSync(path, "grüße");
  symlinkSync("file", directory.join("link"));
  expect(await files.readText(directory.join("link"))).toBe("grüße");
  expect(await files.realpath(directory.join("link"))).toBe(await files.realpath(path));
  await files.rename(path, directory.join("new"));
  await files.chmod(directory.join("new"), 0o400);
  expect((await files.stat(directory.join("new")))?.mode).toBe(0o400);
  await expect(files.readText(path)).rejects.toMatchObject({ code: "ENOENT" });
  await expect(files.rename(path, path)).rejects.toMatchObject({ code: "ENOENT" });
});

test("writing in place neither makes, cuts, renames nor follows anything", async () => {
  writeFileSync(path, "12345");
  const { ino } = statSync(path);
  await files.writeInPlace(path, "ab");
  expect([await files.readText(path), statSync(path).ino]).toEqual(["ab345", ino]);
  await expect(files.writeInPlace(directory.join("missing"), "x")).rejects.toMatchObject({
    code: "ENOENT",
  });
  symlinkSync(path, directory.join("link"));
  await expect(files.writeInPlace(directory.join("link"), "x")).rejects.toMatchObject({
    code: "ELOOP",
  });
  expect(existsSync(directory.join("missing"))).toBe(false);
});
