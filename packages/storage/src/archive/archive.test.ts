import { execFileSync } from "node:child_process";
import {
  chmodSync,
  createReadStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  formatManifest,
  manifestName,
  readManifest,
  type SnapshotFile,
  type SnapshotManifest,
} from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, test } from "vitest";
import { referenceDigest } from "../../test/reference-digest.ts";
import { shelf } from "../../test/shelf.ts";
import { makeSnapshot } from "../../test/snapshot.ts";
import { collect, end, file, pieces, tar } from "../../test/tar-bytes.ts";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { verifyFiles } from "../seal/verify-files.ts";
import { exportSnapshotTo } from "./export-snapshot-to.ts";
import { exportSnapshot, type ExportOptions } from "./export-snapshot.ts";
import { importSnapshot } from "./import-snapshot.ts";

const host = linuxHost();

async function exported(from: ReturnType<typeof shelf>, options: ExportOptions = {}) {
  return await collect(await exportSnapshot(from, "golden", options));
}

/** A shelf with one snapshot on it, `golden`. */
async function stocked(directory: string) {
  const stock = shelf(host, directory);
  const manifest = await makeSnapshot(host, stock.directoryOf("golden"));
  return { stock, manifest };
}

/** The entries of an uncompressed archive without holes, each with its header and padding. */
function parts(archive: Buffer): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  let from = 0;
  for (let at = 0; at + 512 < archive.length && archive[at] !== 0;) {
    const isPax = archive[at + 156] === 0x78;
    const size = Number.parseInt(archive.toString("latin1", at + 124, at + 135), 8);
    at += 512 + Math.ceil(size / 512) * 512;
    if (isPax) continue;
    const text = archive.toString("latin1", from, from + 1024);
    const name = /GNU\.sparse\.name=([^\n]+)/.exec(text)?.[1] ?? /^[^\0]+/.exec(text)?.[0] ?? "";
    found.set(name, archive.subarray(from, at));
    from = at;
  }
  return found;
}

describe("a snapshot", () => {
  for (const compression of [undefined, "gzip", "zstd"] as const)
    test(`that is exported (${compression ?? "uncompressed"}) and imported is the same, whole and read-only`, async () => {
      using directory = temporaryDirectory();
      const { stock, manifest } = await stocked(directory.path);
      const archive = await exported(stock, { compression });
      expect(stock.held()).toBe(0);
      const done: (readonly [number, number | undefined])[] = [];
      const view = await importSnapshot(stock, pieces(archive, 65_536), {
        name: "copy",
        onProgress: ({ doneBytes, totalBytes }) => done.push([doneBytes, totalBytes]),
      });
      expect(view).toMatchObject({ name: "copy", vmName: "web" });
      const copy = stock.directoryOf("copy");
      await verifyFiles(host, copy, manifest.files, { content: true });
      expect(await readManifest(host, copy)).toEqual(manifest);
      for (const name of readdirSync(copy))
        expect(statSync(join(copy, name)).mode & 0o777).toBe(0o400);
      expect(statSync(join(copy, "cow.raw")).blocks).toBe(
        statSync(join(stock.directoryOf("golden"), "cow.raw")).blocks,
      );
      expect(readdirSync(directory.path)).toEqual(["copy", "golden"]);
      const totalBytes = manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      expect(done.at(-1)?.[1]).toBe(totalBytes);
      expect(done.at(-1)?.[0]).toBeGreaterThanOrEqual(totalBytes);
    });

  test("is exported with its manifest first, small files next, and memory last", async () => {
    using directory = temporaryDirectory();
    const { stock } = await stocked(directory.path);
    const told: string[] = [];
    const archive = await exported(stock, { onProgress: ({ file: name }) => told.push(name) });
    const order = [manifestName, "config.json", "state.json", "cow.raw", "memory-ranges"];
    expect([...parts(archive).keys()]).toEqual(order);
    expect([...new Set(told)]).toEqual(order);
  });

  test("is held until its stream has ended, has failed, or is not wanted any more", async () => {
    using directory = temporaryDirectory();
    const { stock } = await stocked(directory.path);
    for (const compression of [undefined, "gzip"] as const) {
      const stream = await exportSnapshot(stock, "golden", { compression });
      await stream[Symbol.asyncIterator]().next();
      expect(stock.held()).toBe(1);
      stream.destroy();
      await expect.poll(() => stock.held()).toBe(0);
    }
    const signal = AbortSignal.abort();
    await expect(exported(stock, { signal })).rejects.toMatchObject({ kind: "aborted" });
    await expect.poll(() => stock.held()).toBe(0);
    await expect(exportSnapshot(stock, "gone")).rejects.toMatchObject({
      code: "SNAPSHOT_NOT_FOUND",
    });
  });

  test("may use files of this host for good where the import allows them", async () => {
    using directory = temporaryDirectory();
    mkdirSync(directory.join("images"));
    const kernelPath = directory.join("images", "vmlinux");
    writeFileSync(kernelPath, "kernel");
    const stock = shelf(host, directory.path);
    await makeSnapshot(host, stock.directoryOf("golden"), { kernelPath });
    const archive = await exported(stock);
    const imported = async (name: string, allowPaths: readonly string[]) => {
      await importSnapshot(stock, pieces(archive, 65_536), { name, allowPaths });
      return (await readManifest(host, stock.directoryOf(name))).externals;
    };
    const chunksSha256 = referenceDigest(Buffer.from("kernel"));
    expect(await imported("a", [])).toEqual([{ path: kernelPath }]);
    expect(await imported("b", [directory.join("image")])).toEqual([{ path: kernelPath }]);
    for (const [name, path] of [
      ["c", kernelPath],
      ["d", directory.join("images")],
      ["e", "/"],
    ] as const)
      expect(await imported(name, [path])).toEqual([
        { path: kernelPath, sizeBytes: 6, chunksSha256 },
      ]);
    await host.files.remove(kernelPath);
    await expect(imported("f", ["/"])).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });
});

describe("an archive whose files are not those of its manifest is refused, and nothing is left of it, when", () => {
  const cases: readonly (readonly [
    what: string,
    archive: (parts: ReadonlyMap<string, Buffer>, manifest: SnapshotManifest) => Buffer,
    code: string,
    words: RegExp,
  ])[] = [
    [
      "one is missing",
      (all) => join_(all, "state.json"),
      "SNAPSHOT_DAMAGED",
      /state\.json is missing/,
    ],
    [
      "the last one is missing",
      (all) => join_(all, "memory-ranges"),
      "SNAPSHOT_DAMAGED",
      /memory-ranges is missing/,
    ],
    [
      "one is another",
      (all) => join_(all, "state.json", file("state.json", "{}".padEnd(28))),
      "SNAPSHOT_DAMAGED",
      /state\.json does not have the content that the manifest tells: expected [0-9a-f]{64}/,
    ],
    [
      "one is shorter",
      (all) => join_(all, "state.json", file("state.json", "{}")),
      "SNAPSHOT_DAMAGED",
      /state\.json is 26 bytes short/,
    ],
    [
      "one is longer",
      (all) => join_(all, "state.json", file("state.json", "x".repeat(29))),
      "ARCHIVE_INVALID",
      /state\.json is 29 bytes large, and at most 28/,
    ],
    [
      "there is one more",
      (all) => join_(all, "none", file("more", "x")),
      "ARCHIVE_INVALID",
      /more does not belong into it/,
    ],
    [
      "its manifest comes twice",
      (all) => join_(all, "none", file(manifestName, "{}")),
      "ARCHIVE_INVALID",
      /silk\.json is in it twice/,
    ],
    [
      "it begins with something else",
      (all) => join_(new Map([["more", file("more", "x")], ...all]), "none"),
      "ARCHIVE_INVALID",
      /begins with more, and one of a snapshot has silk\.json/,
    ],
    [
      "it has no manifest",
      (all) => join_(all, manifestName),
      "ARCHIVE_INVALID",
      /there is no silk\.json in it/,
    ],
    [
      "a file before its manifest is not the one that the manifest tells of",
      (all) =>
        join_(new Map([["early", file("state.json", "x".repeat(28))], ...all]), "state.json"),
      "SNAPSHOT_DAMAGED",
      /state\.json/,
    ],
    [
      "a file before its manifest is not one that the manifest tells of",
      (all) => join_(new Map([["early", file("other.raw", "x")], ...all]), "none"),
      "ARCHIVE_INVALID",
      /other\.raw does not belong into it/,
    ],
    [
      "its manifest is no JSON",
      () => tar(file(manifestName, "{")),
      "INVALID_MANIFEST",
      /silk\.json is no JSON/,
    ],
    [
      "its manifest is none",
      () => tar(file(manifestName, "{}")),
      "INVALID_MANIFEST",
      /silk\.json is no manifest/,
    ],
    [
      "its manifest is too large",
      () => tar(file(manifestName, " ".repeat(5 * 2 ** 20))),
      "ARCHIVE_INVALID",
      /at most 4194304 are expected/,
    ],
    [
      "its manifest names a file in a directory",
      (_, manifest) =>
        tar(
          file(
            manifestName,
            formatManifest({
              ...manifest,
              files: [
                ...manifest.files,
                { ...(manifest.files[0] as SnapshotFile), name: "../evil" },
              ],
            }),
          ),
        ),
      "INVALID_MANIFEST",
      /must be a plain file name/,
    ],
    ["it is empty", () => end, "ARCHIVE_INVALID", /there is nothing in it/],
  ];
  for (const [what, make, code, words] of cases)
    test(what, async () => {
      using directory = temporaryDirectory();
      const { stock, manifest } = await stocked(directory.path);
      const archive = make(parts(await exported(stock)), manifest);
      await expect(
        importSnapshot(stock, pieces(archive, 65_536), { name: "copy" }),
      ).rejects.toMatchObject({ code, message: expect.stringMatching(words) });
      expect(readdirSync(directory.path)).toEqual(["golden"]);
    });

  test("any one of its bits is flipped", async () => {
    using directory = temporaryDirectory("/dev/shm");
    const { stock, manifest } = await stocked(directory.path);
    const archive = await exported(stock);
    let imports = 0;
    for (let at = 7; at < archive.length; at += Math.floor(archive.length / 60)) {
      const flipped = Buffer.from(archive);
      flipped[at] = (flipped[at] ?? 0) ^ 0x04;
      const name = `copy-${at}`;
      try {
        await importSnapshot(stock, pieces(flipped, 65_536), { name });
        imports += 1;
      } catch (error) {
        expect(error).toMatchObject({
          name: "SilkError",
          code: expect.stringMatching(/^(SNAPSHOT_DAMAGED|ARCHIVE_INVALID|INVALID_MANIFEST)$/),
        });
        expect(readdirSync(directory.path)).not.toContain(name);
        continue;
      }
      // What nobody reads may differ: a time, or what fills up a block.
      await verifyFiles(host, stock.directoryOf(name), manifest.files, { content: true });
    }
    expect(imports).toBeLessThan(10);
  });
});

/** The parts but for one, and others behind them, as an archive. */
function join_(
  all: ReadonlyMap<string, Buffer>,
  without: string,
  ...more: readonly Buffer[]
): Buffer {
  return tar(...[...all].filter(([name]) => name !== without).map(([, bytes]) => bytes), ...more);
}

test("an archive that GNU tar makes of a snapshot's directory is taken in, whatever the order and however it is named", async () => {
  using directory = temporaryDirectory();
  const { stock, manifest } = await stocked(directory.path);
  const golden = stock.directoryOf("golden");
  const names = readdirSync(golden);
  for (const format of ["pax", "gnu"])
    for (const [index, list] of [["."], names, names.toReversed()].entries()) {
      const archive = directory.join("archive.tar");
      execFileSync("tar", ["-S", `--format=${format}`, "-C", golden, "-cf", archive, ...list]);
      const name = `copy-${format}-${index}`;
      await importSnapshot(stock, createReadStream(archive), { name });
      const copy = stock.directoryOf(name);
      await verifyFiles(host, copy, manifest.files, { content: true });
      expect(await readManifest(host, copy)).toEqual(manifest);
      expect(readdirSync(copy)).toEqual(names);
    }
});

describe("a snapshot that is exported to a directory", () => {
  test("is whole there, with its holes, also where an empty directory was", async () => {
    using directory = temporaryDirectory();
    const { stock, manifest } = await stocked(directory.path);
    mkdirSync(directory.join("empty"));
    for (const name of ["new", "empty"]) {
      await exportSnapshotTo(stock, "golden", directory.join(name));
      await verifyFiles(host, directory.join(name), manifest.files, { content: true });
      expect(await readManifest(host, directory.join(name))).toEqual(manifest);
      expect(statSync(directory.join(name, "cow.raw")).blocks * 512).toBeLessThan(4 * 2 ** 20);
    }
    expect(readdirSync(directory.path)).toEqual(["empty", "golden", "new"]);
    expect(stock.held()).toBe(0);
  });

  test("takes no place that is taken, and leaves nothing where it fails", async () => {
    using directory = temporaryDirectory();
    const { stock } = await stocked(directory.path);
    mkdirSync(directory.join("taken"));
    writeFileSync(directory.join("taken", "file"), "precious");
    writeFileSync(directory.join("file"), "");
    for (const name of ["taken", "file"])
      await expect(exportSnapshotTo(stock, "golden", directory.join(name))).rejects.toMatchObject({
        code: "DIRECTORY_NOT_EMPTY",
        kind: "conflict",
      });
    expect(readFileSync(directory.join("taken", "file"), "utf8")).toBe("precious");
    const controller = new AbortController();
    await expect(
      exportSnapshotTo(stock, "golden", directory.join("new"), {
        signal: controller.signal,
        onProgress: ({ doneBytes }) => {
          if (doneBytes > 0) controller.abort();
        },
      }),
    ).rejects.toMatchObject({ kind: "aborted" });
    expect(readdirSync(directory.path)).toEqual(["file", "golden", "taken"]);
    expect(stock.held()).toBe(0);
  });
});

test("a file that is cut while it is exported ends the stream with an error", async () => {
  using directory = temporaryDirectory();
  const { stock } = await stocked(directory.path);
  const path = join(stock.directoryOf("golden"), "cow.raw");
  chmodSync(path, 0o600);
  const cut = exported(stock, {
    onProgress: ({ file: name }) => {
      if (name === "cow.raw") truncateSync(path, 4096);
    },
  });
  await expect(cut).rejects.toMatchObject({ code: "FILE_BUSY", kind: "busy" });
  await expect.poll(() => stock.held()).toBe(0);
});
