import { createHash, randomBytes } from "node:crypto";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  createReadStream,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Bed, has, run } from "./bed.ts";
import { type Answer, sendRange, startServer } from "./fake-registry.ts";

const diskBytes = 64 * 1024 ** 2;

/** A disk with a boot sector, some data, and much that is empty. */
function makeRaw(path: string): void {
  const fd = openSync(path, "w");
  const sector = Buffer.alloc(512);
  sector.writeUInt16LE(0xaa55, 510);
  writeSync(fd, sector, 0, 512, 0);
  writeSync(fd, randomBytes(1_000_000), 0, 1_000_000, 10 * 1024 ** 2);
  closeSync(fd);
  truncateSync(path, diskBytes);
}

const hex = (bytes: Buffer, algorithm = "sha256"): string =>
  createHash(algorithm).update(bytes).digest("hex");

function filesAnswer(files: Readonly<Record<string, Buffer | string>>, etag?: string): Answer {
  return ({ path, headers }, response) => {
    const content = files[path.slice(1)];
    if (content === undefined) return false;
    if (etag !== undefined && headers["if-none-match"] === etag)
      return (response.writeHead(304).end(), true);
    sendRange(response, Buffer.from(content), headers.range, etag === undefined ? {} : { etag });
    return true;
  };
}

describe.skipIf(!has("qemu-img"))("cloud images", () => {
  test("qcow2 and raw, compressed or not, become the same raw disk with its holes", async () => {
    await using bed = new Bed();
    makeRaw(bed.path("disk.raw"));
    run(
      "qemu-img",
      "convert",
      "-f",
      "raw",
      "-O",
      "qcow2",
      "-c",
      bed.path("disk.raw"),
      bed.path("disk.qcow2"),
    );
    const raw = readFileSync(bed.path("disk.raw"));
    const qcow2 = readFileSync(bed.path("disk.qcow2"));
    writeFileSync(bed.path("disk.qcow2.gz"), gzipSync(qcow2));
    writeFileSync(bed.path("disk.raw.zst"), zstdCompressSync(raw));
    if (has("xz")) execFileSync("xz", ["--keep", bed.path("disk.raw")]);
    for (const name of [
      "disk.raw",
      "disk.qcow2",
      "disk.qcow2.gz",
      "disk.raw.zst",
      ...(has("xz") ? ["disk.raw.xz"] : []),
    ]) {
      const { image } = await bed.images.import(bed.path(name), { name: "cloud" });
      expect(image, name).toMatchObject({
        type: "cloudimg",
        disk: {
          format: "raw",
          virtualSizeBytes: diskBytes,
          sourceFormat: name.includes("qcow2") ? "qcow2" : "raw",
        },
      });
      const blob = bed.blob(image.disk?.blobId ?? "");
      expect(readFileSync(blob).equals(raw), name).toBe(true);
      expect(statSync(blob).blocks * 512, name).toBeLessThan(4_000_000);
      expect(statSync(blob).mode & 0o777).toBe(0o444);
    }
    const { image } = await bed.images.import(createReadStream(bed.path("disk.qcow2")), {
      name: "stdin",
    });
    const { image: leased, lease } = await bed.images.lease("stdin");
    await lease.release();
    expect(leased).toMatchObject({
      type: "cloudimg",
      disk: { path: bed.blob(image.disk?.blobId ?? ""), virtualSizeBytes: diskBytes },
    });
    expect(readdirSync(bed.path("root/images/work"))).toEqual([]);
  });

  test("what would read other files, is damaged, or is no disk is refused", async () => {
    await using bed = new Bed();
    makeRaw(bed.path("disk.raw"));
    run(
      "qemu-img",
      "create",
      "-q",
      "-f",
      "qcow2",
      "-b",
      "/etc/hostname",
      "-F",
      "raw",
      bed.path("backed.qcow2"),
    );
    run(
      "qemu-img",
      "convert",
      "-f",
      "raw",
      "-O",
      "qcow2",
      bed.path("disk.raw"),
      bed.path("damaged.qcow2"),
    );
    const damaged = readFileSync(bed.path("damaged.qcow2"));
    // The table of reference counts.
    damaged.fill(0xff, 65_536, 65_536 + 64);
    writeFileSync(bed.path("damaged.qcow2"), damaged);
    run("qemu-img", "create", "-q", "-f", "vmdk", bed.path("other.vmdk"), "1M");
    writeFileSync(bed.path("page.img"), "<!DOCTYPE html><html>404</html>".repeat(100));
    writeFileSync(bed.path("empty.img"), "");
    const code = async (name: string): Promise<unknown> =>
      await bed.images.import(bed.path(name), { name: "x" }).then(
        () => "fine",
        (error: { code?: unknown }) => error.code,
      );
    expect(await code("backed.qcow2")).toBe("NOT_A_DISK_IMAGE");
    expect(await code("damaged.qcow2")).toBe("IMAGE_DAMAGED");
    expect(await code("other.vmdk")).toBe("NOT_A_DISK_IMAGE");
    expect(await code("page.img")).toBe("NOT_A_DISK_IMAGE");
    expect(await code("empty.img")).toBe("NOT_A_DISK_IMAGE");
    expect(
      await bed.images
        .import(bed.path("disk.raw"), { name: "x", checksum: `sha256:${"0".repeat(64)}` })
        .catch((error: unknown) => error),
    ).toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(readdirSync(bed.path("root/images/blobs"))).toEqual([]);
  });

  test("a download is checked by what its publisher has beside it, and is not repeated while that says the same", async () => {
    await using bed = new Bed();
    makeRaw(bed.path("disk.raw"));
    const bytes = gzipSync(readFileSync(bed.path("disk.raw")));
    const sums: Record<string, string> = {
      SHA256SUMS: `${hex(bytes)} *disk.img.gz\n${hex(Buffer.from("other"))} *other.img\n`,
      SHA512SUMS: `${hex(bytes, "sha512")}  disk.img.gz\n`,
      "disk.img.gz.sha256": `${hex(bytes)}\n`,
      CHECKSUM: `# disk.img.gz: 1 bytes\nSHA256 (disk.img.gz) = ${hex(bytes)}\n`,
    };
    for (const [file, text] of Object.entries(sums)) {
      const { host, asked } = await startServer(
        bed,
        filesAnswer({ "disk.img.gz": bytes, [file]: text }),
      );
      const url = `http://${host}/disk.img.gz`;
      const warnings: string[] = [];
      const { image, changed } = await bed.images.pull(url, {
        onWarning: (message) => warnings.push(message),
      });
      expect(changed).toBe(true);
      expect(warnings).toEqual([]);
      expect(image.ref).toBe(url);
      expect(image.digest).toBe(
        file === "SHA512SUMS" ? `sha512:${hex(bytes, "sha512")}` : `sha256:${hex(bytes)}`,
      );
      asked.length = 0;
      expect((await bed.images.pull(url)).changed).toBe(false);
      expect(asked.map(({ path }) => path)).not.toContain("/disk.img.gz");
    }
    const { host } = await startServer(
      bed,
      filesAnswer({ "disk.img.gz": bytes, SHA256SUMS: `${"0".repeat(64)} *disk.img.gz\n` }),
    );
    await expect(bed.images.pull(`http://${host}/disk.img.gz`)).rejects.toMatchObject({
      code: "DIGEST_MISMATCH",
    });
    expect(
      readdirSync(bed.path("root/images/downloads")).filter((name) => name.endsWith(".partial")),
    ).toEqual([]);
  });

  test("without a checksum that is said, and the server's own mark saves a download", async () => {
    await using bed = new Bed();
    makeRaw(bed.path("disk.raw"));
    const bytes = zstdCompressSync(readFileSync(bed.path("disk.raw")));
    const { host, asked } = await startServer(bed, filesAnswer({ "disk.img": bytes }, '"v1"'));
    const warnings: string[] = [];
    await bed.images.pull(`http://user:s3cret@${host}/disk.img`, {
      name: "cloud",
      onWarning: (message) => warnings.push(message),
    });
    expect(warnings).toHaveLength(1);
    expect(JSON.stringify([warnings, bed.images.list()])).not.toContain("s3cret");
    expect(asked.at(-1)?.headers.authorization).toBe(
      `Basic ${Buffer.from("user:s3cret").toString("base64")}`,
    );
    expect((await bed.images.pull(`http://${host}/disk.img`, { name: "cloud" })).changed).toBe(
      false,
    );
    expect(asked.at(-1)?.headers["if-none-match"]).toBe('"v1"');
    await expect(bed.images.pull(`http://${host}/none.img`)).rejects.toMatchObject({
      code: "IMAGE_NOT_FOUND",
      kind: "not-found",
    });
    await expect(bed.images.pull("http://images.invalid/disk.img")).rejects.toMatchObject({
      kind: expect.stringMatching(/unavailable|denied/) as unknown,
    });
  });

  test("a download that was interrupted goes on, unless the file has changed meanwhile", async () => {
    await using bed = new Bed({ http: { backoffMs: 5, stallTimeoutMs: 300, attempts: 1 } });
    makeRaw(bed.path("disk.raw"));
    const bytes = gzipSync(readFileSync(bed.path("disk.raw")), { level: 1 });
    let cut = true;
    let etag = '"v1"';
    const { host, asked } = await startServer(bed, ({ path, headers }, response) => {
      if (path !== "/disk.img") return false;
      if (cut) {
        response.writeHead(200, { "content-length": bytes.length, etag });
        response.write(bytes.subarray(0, 500_000), () => response.destroy());
        return true;
      }
      sendRange(response, bytes, headers["if-range"] === etag ? headers.range : undefined, {
        etag,
      });
      return true;
    });
    await expect(bed.images.pull(`http://${host}/disk.img`)).rejects.toMatchObject({
      kind: "unavailable",
    });
    cut = false;
    await bed.images.pull(`http://${host}/disk.img`);
    expect(asked.at(-1)?.headers).toMatchObject({ range: "bytes=500000-", "if-range": '"v1"' });
    cut = true;
    etag = '"v2"';
    await expect(bed.images.pull(`http://${host}/disk.img`)).rejects.toMatchObject({
      kind: "unavailable",
    });
    cut = false;
    etag = '"v3"';
    expect((await bed.images.pull(`http://${host}/disk.img`)).image.digest).toBe(
      `sha256:${hex(bytes)}`,
    );
  });
});
