import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRawDisk } from "./raw-disk.ts";

const host = linuxHost();
const mib = 1024 * 1024;
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "silk-storage-"));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** Runs a program, which must succeed, and gives what it prints. */
async function run(command: string, args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await host.processes.run({ command, args });
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

const names = (): Promise<readonly string[]> => host.files.list(dir);

describe("a raw disk", () => {
  it("is a file of holes that only its owner can read", async () => {
    const path = join(dir, "data.raw");
    await createRawDisk(host, { path, sizeBytes: 1024 * mib, fstype: "none" });
    const { size, blocks, mode } = await stat(path);
    expect(size).toBe(1024 * mib);
    expect(blocks).toBe(0);
    expect(mode & 0o777).toBe(0o600);
    expect(await names()).toEqual(["data.raw"]);
  });

  it("holds an ext4 that is clean, has its label, and takes little room", async () => {
    const path = join(dir, "cow.raw");
    const sizeBytes = 10 * 1024 * mib;
    await createRawDisk(host, { path, sizeBytes, fstype: "ext4", label: "cocoon-cow" });
    const { size, blocks } = await stat(path);
    expect(size).toBe(sizeBytes);
    expect(blocks * 512).toBeLessThan(16 * mib);
    const stdout = await run("dumpe2fs", ["-h", path]);
    expect(stdout).toMatch(/Filesystem volume name: +cocoon-cow\n/);
    expect(stdout).toMatch(/Reserved block count: +0\n/);
    expect(await run("e2fsck", ["-fn", path])).toContain("0.0% non-contiguous");
  });

  it("may have a label that is longer than ext4 can hold", async () => {
    const path = join(dir, "data.raw");
    const label = "a-very-long-disk-name";
    await createRawDisk(host, { path, sizeBytes: 16 * mib, fstype: "ext4", label });
    expect(await run("dumpe2fs", ["-h", path])).toContain("a-very-long-disk\n");
  });

  it("is kept as it is when it is there already in the right size", async () => {
    const path = join(dir, "cow.raw");
    await createRawDisk(host, { path, sizeBytes: 16 * mib, fstype: "ext4" });
    const before = await stat(path, { bigint: true });
    await createRawDisk(host, { path, sizeBytes: 16 * mib, fstype: "ext4" });
    const after = await stat(path, { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
  });

  it("does not replace another file", async () => {
    const path = join(dir, "cow.raw");
    await writeFile(path, "somebody's own");
    const made = createRawDisk(host, { path, sizeBytes: 16 * mib, fstype: "ext4" });
    await expect(made).rejects.toMatchObject({ code: "DISK_EXISTS", kind: "conflict" });
    expect(await readFile(path, "utf8")).toBe("somebody's own");
  });

  it("is made anew over the half of one that an interrupted call has left", async () => {
    const path = join(dir, "cow.raw");
    await writeFile(`${path}.partial`, "half a disk");
    await createRawDisk(host, { path, sizeBytes: 16 * mib, fstype: "ext4" });
    await run("e2fsck", ["-fn", path]);
    expect(await names()).toEqual(["cow.raw"]);
  });

  it("is refused before anything is written where there is no room for its file system", async () => {
    const full: Host = {
      ...host,
      files: {
        ...host.files,
        space: async (path) => ({ ...(await host.files.space(path)), freeBytes: mib }),
      },
    };
    const made = createRawDisk(full, {
      path: join(dir, "cow.raw"),
      sizeBytes: 1024 * mib,
      fstype: "ext4",
    });
    await expect(made).rejects.toMatchObject({
      code: "DISK_FULL",
      kind: "failed",
      hint: expect.stringContaining("silk gc"),
      details: { freeBytes: mib },
    });
    expect(await names()).toEqual([]);
  });

  it("tells which package is missing where mkfs.ext4 is not installed, and leaves nothing", async () => {
    const made = createRawDisk(withoutProgram(), {
      path: join(dir, "cow.raw"),
      sizeBytes: 16 * mib,
      fstype: "ext4",
    });
    await expect(made).rejects.toMatchObject({
      code: "MKFS_NOT_FOUND",
      kind: "unavailable",
      hint: expect.stringContaining("e2fsprogs"),
    });
    expect(await names()).toEqual([]);
  });

  it("passes on what mkfs.ext4 says, and leaves nothing", async () => {
    const path = join(dir, "small.raw");
    const made = createRawDisk(host, { path, sizeBytes: 4096, fstype: "ext4" });
    await expect(made).rejects.toMatchObject({
      code: "MKFS_FAILED",
      message: expect.stringMatching(/too small|not enough space/i),
    });
    expect(await names()).toEqual([]);
  });

  it("is not made when the call was aborted", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    const made = createRawDisk(host, {
      path: join(dir, "cow.raw"),
      sizeBytes: 16 * mib,
      fstype: "ext4",
      signal,
    });
    await expect(made).rejects.toThrow("enough");
    expect(await names()).toEqual([]);
  });
});

describe.skipIf(process.getuid?.() !== 0)("on a file system that is full", () => {
  it("is a DISK_FULL whoever notices it first, and leaves nothing", async () => {
    await run("mount", ["-t", "tmpfs", "-o", "size=256k", "silk-test", dir]);
    try {
      // The check before is got round: this is about what happens when the room goes in between.
      const hopeful: Host = {
        ...host,
        files: {
          ...host.files,
          space: async () => ({ freeBytes: 2 ** 40, totalBytes: 2 ** 40, type: "tmpfs" }),
        },
      };
      const made = createRawDisk(hopeful, {
        path: join(dir, "cow.raw"),
        sizeBytes: 64 * mib,
        fstype: "ext4",
      });
      await expect(made).rejects.toMatchObject({ code: "DISK_FULL", kind: "failed" });
      expect(await names()).toEqual([]);
    } finally {
      await run("umount", [dir]);
    }
  });
});

/** The real machine, on which a program is missing. */
function withoutProgram(): Host {
  return {
    ...host,
    processes: {
      ...host.processes,
      run: (request) =>
        host.processes.run({ ...request, command: `/nonexistent/${request.command}` }),
    },
  };
}
