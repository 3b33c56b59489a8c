import { execFile } from "node:child_process";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { linuxHost } from "@silkvm/sys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readImageHeader } from "./image-header.ts";
import { createQcow2Overlay, imageInfo } from "./qcow2.ts";

const run = promisify(execFile);
const host = linuxHost();
const hasQemuImg = (await host.processes.which("qemu-img")) !== undefined;
const gib = 1024 ** 3;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "silk-image-"));
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe("the header of an image", () => {
  it("of a file without one means a raw image of the file's size, however small it is", async () => {
    const path = join(dir, "raw.img");
    await writeFile(path, "");
    expect(await readImageHeader(host, path)).toEqual({ format: "raw", virtualSizeBytes: 0 });
    await truncate(path, gib);
    expect(await readImageHeader(host, path)).toEqual({ format: "raw", virtualSizeBytes: gib });
  });

  it("of a VHD is told by its footer", async () => {
    const path = join(dir, "vhd.img");
    await writeFile(path, "");
    await truncate(path, 1024 ** 2);
    await writeFile(path, Buffer.from("conectix".padEnd(512, "\0")), { flag: "a" });
    expect(await readImageHeader(host, path)).toEqual({ format: "vhd" });
  });

  it("that is damaged is refused, and says what is wrong", async () => {
    const header = Buffer.alloc(4096);
    header.write("QFI\xfb", "latin1");
    header.writeUInt32BE(3, 4);
    header.writeUInt32BE(16, 20);
    header.writeBigUInt64BE(BigInt(gib), 24);
    const cases: readonly (readonly [(bytes: Buffer) => Buffer, RegExp])[] = [
      [(bytes) => bytes.subarray(0, 40), /ends within its header/],
      [(bytes) => set32(bytes, 4, 7), /version 7/],
      [(bytes) => set32(bytes, 20, 63), /clusters of 2\^63/],
      [(bytes) => set64(bytes, 24, 1n << 63n), /bytes large/],
      [(bytes) => set32(set64(bytes, 8, 512n), 16, 70_000), /name of its backing file is too long/],
      [(bytes) => set32(set64(bytes, 8, 1n << 40n), 16, 10), /outside of its header/],
    ];
    for (const [index, [damage, message]] of cases.entries()) {
      const path = join(dir, `damaged-${index}.qcow2`);
      await writeFile(path, damage(Buffer.from(header)));
      await expect(readImageHeader(host, path)).rejects.toMatchObject({
        code: "INVALID_IMAGE",
        kind: "invalid",
        message: expect.stringMatching(message),
      });
    }
  });

  describe.skipIf(!hasQemuImg)("that qemu-img wrote", () => {
    it("gives the size and the backing file that qemu-img reports", async () => {
      const base = join(dir, "base.qcow2");
      const overlay = join(dir, "overlay.qcow2");
      await run("qemu-img", ["create", "-q", "-f", "qcow2", base, "1G"]);
      await createQcow2Overlay(host, {
        path: overlay,
        backingPath: base,
        backingFormat: "qcow2",
        sizeBytes: 2 * gib,
      });
      expect(await readImageHeader(host, base)).toMatchObject({
        format: "qcow2",
        virtualSizeBytes: gib,
        backingFile: undefined,
        encrypted: false,
        externalData: false,
      });
      const header = await readImageHeader(host, overlay);
      const info = await imageInfo(host, overlay);
      expect(header).toMatchObject({
        virtualSizeBytes: 2 * gib,
        backingFile: base,
        backingFormat: "qcow2",
      });
      expect(info).toMatchObject({
        format: "qcow2",
        virtualSizeBytes: header.virtualSizeBytes,
        backingFile: header.backingFile,
        backingFormat: header.backingFormat,
      });
    });

    it("is read in the old version of the format too", async () => {
      const path = join(dir, "old.qcow2");
      await run("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "compat=0.10", path, "3M"]);
      expect(await readImageHeader(host, path)).toMatchObject({
        format: "qcow2",
        virtualSizeBytes: 3 * 1024 ** 2,
        externalData: false,
      });
    });

    it("says that the data is in another file", async () => {
      const path = join(dir, "external.qcow2");
      const option = `data_file=${join(dir, "external.raw")}`;
      await run("qemu-img", ["create", "-q", "-f", "qcow2", "-o", option, path, "1M"]);
      expect(await readImageHeader(host, path)).toMatchObject({ externalData: true });
    });

    it("tells the formats of other programs apart from raw", async () => {
      for (const format of ["vhdx", "vmdk", "vdi"] as const) {
        const path = join(dir, `other.${format}`);
        await run("qemu-img", ["create", "-q", "-f", format, path, "8M"]);
        expect(await readImageHeader(host, path)).toEqual({ format });
      }
    });
  });
});

describe.skipIf(!hasQemuImg)("qemu-img", () => {
  it("is asked about an image that a running VM has locked", async () => {
    const path = join(dir, "locked.qcow2");
    await run("qemu-img", ["create", "-q", "-f", "qcow2", path, "1M"]);
    // The byte by which a writer is known to qemu-img; the VMM's lock spans it.
    await using _lock = await host.locks.acquire(path, 101, { waitMs: 0 });
    await expect(run("qemu-img", ["info", path])).rejects.toThrow(/another process/);
    expect(await imageInfo(host, path)).toMatchObject({ format: "qcow2" });
  });

  it("names the package where it is not installed", async () => {
    const without = {
      ...host,
      processes: {
        ...host.processes,
        run: (request: Parameters<typeof host.processes.run>[0]) =>
          host.processes.run({ ...request, command: "/nonexistent/qemu-img" }),
      },
    };
    await expect(imageInfo(without, "/x.qcow2")).rejects.toMatchObject({
      code: "QEMU_IMG_NOT_FOUND",
      kind: "unavailable",
      hint: expect.stringContaining("qemu-utils"),
    });
  });

  it("passes on what it says of a file that is no image", async () => {
    const path = join(dir, "missing.qcow2");
    await expect(imageInfo(host, path)).rejects.toMatchObject({
      code: "QEMU_IMG_FAILED",
      message: expect.stringContaining("No such file or directory"),
    });
  });
});

function set32(bytes: Buffer, offset: number, value: number): Buffer {
  bytes.writeUInt32BE(value, offset);
  return bytes;
}

function set64(bytes: Buffer, offset: number, value: bigint): Buffer {
  bytes.writeBigUInt64BE(value, offset);
  return bytes;
}
