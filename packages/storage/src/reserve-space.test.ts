import { statSync, writeFileSync } from "node:fs";
import type { HostFile } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../test/temporary-directory.ts";
import { linkOrCopy } from "./link-or-copy.ts";
import { reserveSpace } from "./reserve-space.ts";

const host = linuxHost();
const mib = 2 ** 20;

/** The host, but its files cannot reserve room, for this reason. */
function unableToReserve(code: string): typeof host {
  const open = async (...args: Parameters<typeof host.files.open>): Promise<HostFile> => {
    const file = await host.files.open(...args);
    file.allocate = async () => {
      throw Object.assign(new Error(code), { code });
    };
    return file;
  };
  return { ...host, files: { ...host.files, open } };
}

test("room that is reserved is taken until it is given back", async () => {
  using memory = temporaryDirectory("/dev/shm");
  const before = (await host.files.space(memory.path)).freeBytes;
  {
    await using reserved = await reserveSpace(host, memory.path, 16 * mib);
    expect(statSync(memory.join(".reserved")).blocks * 512).toBe(16 * mib);
    expect((await host.files.space(memory.path)).freeBytes).toBeLessThan(before);
    await reserved.release();
    expect(await host.files.list(memory.path)).toEqual([]);
  }
  expect(await host.files.list(memory.path)).toEqual([]);
});

test("what a dead process had reserved is taken over, and nothing is a size too", async () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join(".reserved"), "left behind");
  await using reserved = await reserveSpace(host, directory.path, mib);
  expect(statSync(directory.join(".reserved")).size).toBe(mib);
  await reserved.release();
  await using _nothing = await reserveSpace(host, directory.path, 0);
  expect(await host.files.list(directory.path)).toEqual([]);
});

test("too little room is told at once, with how much there is, and leaves nothing behind", async () => {
  using directory = temporaryDirectory();
  const full = {
    code: "DISK_FULL",
    kind: "failed",
    details: { neededBytes: 2 ** 52, freeBytes: expect.any(Number) },
  };
  await expect(reserveSpace(host, directory.path, 2 ** 52)).rejects.toMatchObject(full);
  await expect(reserveSpace(unableToReserve("ENOSPC"), directory.path, mib)).rejects.toMatchObject({
    ...full,
    details: { neededBytes: mib },
  });
  expect(await host.files.list(directory.path)).toEqual([]);
});

test("a file system that cannot reserve is only asked whether there is room", async () => {
  using directory = temporaryDirectory();
  await using _reserved = await reserveSpace(unableToReserve("ENOTSUP"), directory.path, mib);
  expect(await host.files.list(directory.path)).toEqual([]);
  await expect(
    reserveSpace(unableToReserve("ENOTSUP"), directory.path, 2 ** 52),
  ).rejects.toMatchObject({ code: "DISK_FULL" });
});

test("a file is linked within a file system and copied to another one", async () => {
  using directory = temporaryDirectory();
  using memory = temporaryDirectory("/dev/shm");
  writeFileSync(directory.join("a"), "content");
  expect(await linkOrCopy(host, directory.join("a"), directory.join("b"))).toBe("linked");
  expect(statSync(directory.join("b")).ino).toBe(statSync(directory.join("a")).ino);
  expect(await linkOrCopy(host, directory.join("a"), memory.join("b"))).toBe("copied");
  expect(await host.files.readText(memory.join("b"))).toBe("content");
  await expect(linkOrCopy(host, directory.join("a"), directory.join("b"))).rejects.toMatchObject({
    code: "EEXIST",
  });
});
