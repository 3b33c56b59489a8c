import { spawnSync } from "node:child_process";
import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { hashFile } from "@silkvm/storage";
import { linuxHost } from "@silkvm/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { copies, makeGoldenDisk, packDisk, unpackDisk } from "./golden-disk.ts";

const host = linuxHost();
const sizeBytes = 256 * 1024 ** 2;
let directory: string;
let golden: string;
let signal: AbortSignal;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "silk-storage-"));
  golden = join(directory, "golden.raw");
  signal = AbortSignal.timeout(20_000);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const hasExt4 = spawnSync("mkfs.ext4", ["-V"]).status === 0;

describe.skipIf(!hasExt4)("a golden disk (needs mkfs.ext4)", () => {
  beforeEach(() => makeGoldenDisk(host, golden, sizeBytes, signal));

  it("is large, and takes little room, and so do its copies", async () => {
    for (const path of [golden, ...(await copies(host, golden, 3, signal))]) {
      const stat = await host.files.stat(path);
      expect(stat?.sizeBytes).toBe(sizeBytes);
      expect(stat?.allocatedBytes).toBeLessThan(sizeBytes / 8);
    }
    expect((await readdir(directory)).sort()).toEqual([
      "golden-1.raw",
      "golden-2.raw",
      "golden-3.raw",
      "golden.raw",
    ]);
  });

  it("arrives as it was sent, with its holes", async () => {
    const arrived = join(directory, "arrived");
    const archive = packDisk(host, directory, "golden.raw", signal);
    const digest = await unpackDisk(host, archive, arrived, "golden.raw", signal);
    expect(digest).toEqual(await hashFile(host, golden));
    const stat = await host.files.stat(join(arrived, "golden.raw"));
    expect(stat?.allocatedBytes).toBeLessThan(sizeBytes / 8);
  });
});

it("an archive that is cut, or holds something else, is refused", async () => {
  await (await open(golden, "w")).close();
  const whole = await Array.fromAsync(packDisk(host, directory, "golden.raw", signal));
  const bytes = Buffer.concat(whole as Buffer[]);
  const unpack = (archive: Buffer, name: string): Promise<unknown> =>
    unpackDisk(host, Readable.from([archive]), join(directory, `for-${name}`), name, signal);
  await expect(unpack(bytes.subarray(0, 700), "golden.raw")).rejects.toMatchObject({
    code: "ARCHIVE_INVALID",
  });
  await expect(unpack(bytes, "other.raw")).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
});
