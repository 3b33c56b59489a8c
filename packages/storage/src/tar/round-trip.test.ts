import { execFile, execFileSync } from "node:child_process";
import {
  createReadStream,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { promisify } from "node:util";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { linuxHost } from "@silkvm/sys";
import { array, assert, asyncProperty, nat, record } from "fast-check";
import { describe, expect, test } from "vitest";
import { referenceDigest } from "../../test/reference-digest.ts";
import { dense, type Piece, writeSparse } from "../../test/sparse-file.ts";
import { collect, end, extension, file, header, pax, pieces, tar } from "../../test/tar-bytes.ts";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { packFiles } from "./pack-files.ts";
import { unpackFiles, type UnpackRule } from "./unpack-files.ts";

const run = promisify(execFile);
const host = linuxHost();
const kib = 1024;
const mib = 2 ** 20;
const hasGnuTar = succeeds("tar", ["--version"]);
const hasPython = succeeds("python3", ["--version"]);
const rule = (): UnpackRule => ({ maxBytes: 2 ** 50, action: "write" });

function succeeds(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Files of holes with pieces of data, of any size, a piece at least as large as what is always kept as a hole. */
const sparseFiles = array(
  record({
    tail: nat(3 * mib),
    pieces: array(record({ gap: nat(40), length: nat(600_000) }), { maxLength: 6 }),
  }),
  { minLength: 1, maxLength: 3 },
);

/** Writes them as `f0`, `f1`, … and gives their names. */
function writeFiles(
  directory: string,
  files: readonly {
    readonly tail: number;
    readonly pieces: readonly { readonly gap: number; readonly length: number }[];
  }[],
): readonly string[] {
  return files.map(({ tail, pieces: wanted }, index) => {
    const data: Piece[] = [];
    let position = 0;
    for (const { gap, length } of wanted) {
      position += gap * 64 * kib;
      data.push({ position, bytes: dense(length, position + index) });
      position = Math.ceil((position + length) / 4096) * 4096;
    }
    writeSparse(`${directory}/f${index}`, position + tail, data);
    return `f${index}`;
  });
}

/** Whether each file of one directory is the same in another one, and takes no more room there but for a little. */
function expectSame(from: string, to: string, names: readonly string[]): void {
  for (const name of names) {
    const [one, other] = [readFileSync(`${from}/${name}`), readFileSync(`${to}/${name}`)];
    expect(one.equals(other), name).toBe(true);
    const [room, otherRoom] = [statSync(`${from}/${name}`), statSync(`${to}/${name}`)];
    expect(otherRoom.blocks).toBeLessThanOrEqual(room.blocks + 8);
  }
}

async function onFiles(
  test_: (from: string, to: string, names: readonly string[], archive: string) => Promise<void>,
): Promise<void> {
  await assert(
    asyncProperty(sparseFiles, async (files) => {
      // In memory: each file is synced, which takes its time on a disk.
      using directory = temporaryDirectory("/dev/shm");
      const [from, to] = [directory.join("from"), directory.join("to")];
      mkdirSync(from);
      mkdirSync(to);
      await test_(from, to, writeFiles(from, files), directory.join("archive"));
    }),
    { numRuns: 8 },
  );
}

describe("what is packed", () => {
  test("is the same when it is unpacked here, its holes and its digests too", async () => {
    await onFiles(async (from, to, names) => {
      const files = await unpackFiles(host, packFiles(host, from, names), to, { rule });
      expectSame(from, to, names);
      expect(files.map(({ name, chunksSha256 }) => [name, chunksSha256])).toEqual(
        names.map((name) => [name, referenceDigest(readFileSync(`${from}/${name}`))]),
      );
    });
  });

  test.skipIf(!hasGnuTar)("is the same when GNU tar unpacks it, with its holes", async () => {
    await onFiles(async (from, to, names, archive) => {
      writeFileSync(archive, await collect(packFiles(host, from, names)));
      const { stderr } = await run("tar", ["-xf", archive, "-C", to]);
      expect(stderr).toBe("");
      expectSame(from, to, names);
    });
  });

  test.skipIf(!hasPython)("is the same when Python unpacks it", async () => {
    await onFiles(async (from, to, names, archive) => {
      writeFileSync(archive, await collect(packFiles(host, from, names)));
      await run("python3", ["-m", "tarfile", "-e", archive, to]);
      for (const name of names)
        expect(readFileSync(`${from}/${name}`).equals(readFileSync(`${to}/${name}`))).toBe(true);
    });
  });
});

describe.skipIf(!hasGnuTar)("what GNU tar packs is the same when it is unpacked here", () => {
  const ways: Readonly<Record<string, readonly string[]>> = {
    "sparse, as pax of version 1.0": ["-S", "--format=pax"],
    "sparse, as pax of version 0.1": ["-S", "--format=pax", "--sparse-version=0.1"],
    "sparse, as pax of version 0.0": ["-S", "--format=pax", "--sparse-version=0.0"],
    "sparse, by GNU's old headers": ["-S", "--format=gnu"],
    "with every hole written out": ["--format=pax"],
    "as ustar": ["--format=ustar"],
    "in the oldest format": ["--format=v7"],
  };
  for (const [how, flags] of Object.entries(ways))
    test(how, async () => {
      await onFiles(async (from, to, names, archive) => {
        await run("tar", ["-c", ...flags, "-f", archive, "-C", from, ...names]);
        await unpackFiles(host, createReadStream(archive), to, { rule });
        expectSame(from, to, names);
      });
    });

  test("in more pieces than a header holds, by every way", async () => {
    using directory = temporaryDirectory();
    const many = Array.from({ length: 60 }, (_, index) => ({
      position: index * 128 * kib,
      bytes: dense(4096, index),
    }));
    mkdirSync(directory.join("to"));
    writeSparse(directory.join("disk"), 60 * 128 * kib, many);
    for (const flags of Object.values(ways)) {
      const archive = directory.join("archive");
      await run("tar", ["-c", ...flags, "-f", archive, "-C", directory.path, "disk"]);
      await unpackFiles(host, createReadStream(archive), directory.join("to"), { rule });
      expectSame(directory.path, directory.join("to"), ["disk"]);
      rmSync(directory.join("to", "disk"));
    }
  });
});

test("a file of 20 GiB that is a hole for the most part passes through, here and by GNU tar", async () => {
  using directory = temporaryDirectory();
  const sizeBytes = 20 * 2 ** 30 + 77;
  writeSparse(directory.join("disk"), sizeBytes, [
    { position: 0, bytes: dense(100) },
    { position: 12 * 2 ** 30, bytes: dense(mib, 2) },
    { position: sizeBytes - 10, bytes: dense(10, 3) },
  ]);
  const archive = await collect(packFiles(host, directory.path, ["disk"]));
  expect(archive.length).toBeLessThan(2 * mib);
  for (const to of ["here", "gnu"]) mkdirSync(directory.join(to));
  const { 0: unpacked } = await unpackFiles(host, pieces(archive), directory.join("here"), {
    rule,
  });
  expect(unpacked?.sizeBytes).toBe(sizeBytes);
  if (hasGnuTar) {
    writeFileSync(directory.join("archive"), archive);
    await run("tar", ["-xf", directory.join("archive"), "-C", directory.join("gnu")]);
  }
  for (const to of hasGnuTar ? ["here", "gnu"] : ["here"]) {
    const { size, blocks } = statSync(directory.join(to, "disk"));
    expect(size).toBe(sizeBytes);
    expect(blocks * 512).toBeLessThan(2 * mib);
    const middle = await host.files.readRange(directory.join(to, "disk"), 12 * 2 ** 30, mib);
    expect(dense(mib, 2).equals(middle)).toBe(true);
    const last = await host.files.readRange(directory.join(to, "disk"), sizeBytes - 10, 10);
    expect(dense(10, 3).equals(last)).toBe(true);
  }
});

test("sizes beyond eleven octal digits are read, be they in a pax record or binary", async () => {
  using directory = temporaryDirectory();
  const sizeBytes = 9 * 2 ** 30;
  const field = Buffer.alloc(12);
  field[0] = 0x80;
  field.writeBigUInt64BE(BigInt(sizeBytes), 4);
  async function* archive(...head: readonly Buffer[]): AsyncGenerator<Uint8Array> {
    yield* head;
    const zeros = Buffer.alloc(mib);
    for (let given = 0; given < sizeBytes; given += mib) yield zeros;
    yield end;
  }
  const ways = [
    archive(pax(["size", String(sizeBytes)]), header({ name: "pax" })),
    archive(header({ name: "binary", sizeField: field })),
  ];
  for (const way of ways)
    expect(await unpackFiles(host, way, directory.path, { rule })).toMatchObject([{ sizeBytes }]);
  expect(statSync(directory.join("binary")).blocks).toBe(0);
});

describe("an archive", () => {
  const content = dense(3 * mib + 100);
  const archive = tar(
    extension("g", "20 comment=whatever\n"),
    file("a", content),
    extension("L", "long\0"),
    file("short", "by GNU's long name"),
  );
  const expected = [
    { name: "a", sizeBytes: content.length, chunksSha256: referenceDigest(content) },
    { name: "long", sizeBytes: 18 },
  ];

  test("is the same in whatever pieces it comes", async () => {
    for (const size of [1, 511, 512, 65_536, archive.length]) {
      using directory = temporaryDirectory();
      const small = tar(file("a", dense(2000)), pax(["path", "b"]), file("x", "y"));
      const bytes = size < 100 ? small : archive;
      const files = await unpackFiles(host, pieces(bytes, size), directory.path, { rule });
      if (bytes === archive) expect(files).toMatchObject(expected);
      else expect(files).toMatchObject([{ name: "a" }, { name: "b" }]);
    }
  });

  test("is recognised as gzip or zstd, gzip in several parts too", async () => {
    const half = Math.floor(archive.length / 2);
    const halves = [archive.subarray(0, half), archive.subarray(half)];
    for (const compressed of [
      gzipSync(archive),
      Buffer.concat(halves.map((part) => gzipSync(part))),
      zstdCompressSync(archive),
    ]) {
      using directory = temporaryDirectory();
      const files = await unpackFiles(host, pieces(compressed, 777), directory.path, { rule });
      expect(files).toMatchObject(expected);
    }
  });

  test("with zeros behind its end, as tar fills up its records, is whole", async () => {
    using directory = temporaryDirectory();
    const bytes = Buffer.concat([archive, Buffer.alloc(10_240)]);
    expect(await unpackFiles(host, pieces(bytes), directory.path, { rule })).toMatchObject(
      expected,
    );
  });

  test("that is dense has holes where it is zeros, when it is unpacked", async () => {
    using directory = temporaryDirectory();
    const bytes = Buffer.concat([dense(mib), Buffer.alloc(4 * mib), dense(mib, 2)]);
    await unpackFiles(host, pieces(tar(file("a", bytes))), directory.path, { rule });
    expect(readFileSync(directory.join("a")).equals(bytes)).toBe(true);
    expect(statSync(directory.join("a")).blocks * 512).toBe(2 * mib);
  });

  test("gives some files to memory, skips others, and tells how far it is", async () => {
    using directory = temporaryDirectory();
    const done: number[] = [];
    const files = await unpackFiles(host, pieces(archive), directory.path, {
      rule: (name) => ({ maxBytes: 4 * mib, action: name === "a" ? "skip" : "keep" }),
      onProgress: ({ doneBytes }) => done.push(doneBytes),
    });
    expect(files).toMatchObject(expected);
    expect(files[0]?.content).toBeUndefined();
    expect(files[1]?.content?.toString()).toBe("by GNU's long name");
    expect(done.at(-1)).toBe(content.length + 18);
    expect(done).toEqual(done.toSorted((one, other) => one - other));
    expect(await host.files.list(directory.path)).toEqual([]);
  });

  test("of Cocoon's kind keeps its holes, at its end too", async () => {
    using directory = temporaryDirectory();
    const data = dense(10_000);
    const map = '[{"o":0,"l":4096},{"o":1048576,"l":5904}]';
    const cocoon = tar(
      pax(["COCOON.sparse.map", map], ["COCOON.sparse.size", String(8 * mib)]),
      file("disk", data),
      pax(["COCOON.sparse.map", "null"], ["COCOON.sparse.size", String(mib)]),
      file("hole", ""),
    );
    await unpackFiles(host, pieces(cocoon), directory.path, { rule });
    const disk = Buffer.alloc(8 * mib);
    data.copy(disk, 0, 0, 4096);
    data.copy(disk, mib, 4096);
    expect(readFileSync(directory.join("disk")).equals(disk)).toBe(true);
    expect(statSync(directory.join("hole"))).toMatchObject({ size: mib, blocks: 0 });
  });

  test("that the caller gives up on ends with the reason, wherever it was", async () => {
    using directory = temporaryDirectory();
    const controller = new AbortController();
    const reason = new Error("no more");
    async function* stuck(): AsyncGenerator<Uint8Array> {
      yield archive.subarray(0, 2 * mib);
      controller.abort(reason);
      await new Promise(() => {});
    }
    const { signal } = controller;
    await expect(unpackFiles(host, stuck(), directory.path, { rule, signal })).rejects.toBe(reason);
    await expect(unpackFiles(host, pieces(archive), directory.path, { rule, signal })).rejects.toBe(
      reason,
    );
  });

  test("whose stream fails, fails with what the stream says", async () => {
    using directory = temporaryDirectory();
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield archive.subarray(0, mib);
      throw Object.assign(new Error("EIO: the disk is gone"), { code: "EIO" });
    }
    await expect(unpackFiles(host, broken(), directory.path, { rule })).rejects.toMatchObject({
      code: "IO_ERROR",
      message: expect.stringContaining("the disk is gone"),
    });
  });
});

describe("packing", () => {
  test("ends with an error where a file is missing, is none, or the caller gives up", async () => {
    using directory = temporaryDirectory();
    mkdirSync(directory.join("directory"));
    writeFileSync(directory.join("file"), dense(3 * mib));
    await expect(collect(packFiles(host, directory.path, ["gone"]))).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
    });
    await expect(collect(packFiles(host, directory.path, ["directory"]))).rejects.toMatchObject({
      code: "NOT_A_FILE",
    });
    const controller = new AbortController();
    const stream = packFiles(host, directory.path, ["file"], {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(collect(stream)).rejects.toMatchObject({ code: "ABORTED", kind: "aborted" });
  });

  test("reads no further than is taken, and closes its file when the stream is destroyed", async () => {
    using directory = temporaryDirectory();
    writeFileSync(directory.join("file"), dense(16 * mib));
    let packedBytes = 0;
    const open = await host.files.list("/proc/self/fd");
    const stream = packFiles(host, directory.path, ["file"], {
      onProgress: ({ doneBytes }) => (packedBytes = doneBytes),
    });
    await stream[Symbol.asyncIterator]().next();
    await new Promise((resolve) => setImmediate(resolve));
    expect(packedBytes).toBeLessThan(4 * mib);
    stream.destroy();
    await expect.poll(() => host.files.list("/proc/self/fd")).toHaveLength(open.length);
  });
});
