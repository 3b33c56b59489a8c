import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import type { HostFile } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, test } from "vitest";
import { referenceDigest } from "../../test/reference-digest.ts";
import { dense, writeSparse } from "../../test/sparse-file.ts";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { sealDirectory } from "./seal-directory.ts";
import { sealFile } from "./seal-file.ts";
import { verifyExternals } from "./verify-externals.ts";
import { verifyFiles } from "./verify-files.ts";

const host = linuxHost();
const mib = 2 ** 20;

/** Data, 3.5 MiB of zeros that are written out, data, a hole, and 100 bytes at the end. */
function writeMixed(path: string): Buffer {
  const zeros = 3.5 * mib;
  writeSparse(path, 8 * mib + 100, [
    { position: 0, bytes: Buffer.concat([dense(mib), Buffer.alloc(zeros), dense(mib, 2)]) },
    { position: 8 * mib, bytes: dense(100, 3) },
  ]);
  return readFileSync(path);
}

/** The host, but the permission bits of files hold for root too. */
function asOrdinaryUser(): typeof host {
  const open: typeof host.files.open = async (path, how, options) => {
    const mode = (await host.files.stat(path))?.mode ?? 0o600;
    if (how === "update" && (mode & 0o200) === 0)
      throw Object.assign(new Error(`EACCES: ${path}`), { code: "EACCES" });
    return await host.files.open(path, how, options);
  };
  return { ...host, files: { ...host.files, open } };
}

describe("a file that is sealed", () => {
  for (const parent of ["/tmp", "/dev/shm"]) {
    test(`in ${parent} has holes where it was zeros, its digest, and is read-only`, async () => {
      using directory = temporaryDirectory(parent);
      const path = directory.join("memory");
      const content = writeMixed(path);
      const before = statSync(path).blocks * 512;
      expect(await sealFile(host, path)).toEqual({
        name: "memory",
        sizeBytes: content.length,
        chunksSha256: referenceDigest(content),
      });
      expect(readFileSync(path).equals(content)).toBe(true);
      expect(before - statSync(path).blocks * 512).toBe(3.5 * mib);
      expect(statSync(path).mode & 0o777).toBe(0o400);
    });
  }

  test("keeps its zeros where that is wanted, and where the file system has no holes", async () => {
    using directory = temporaryDirectory();
    const path = directory.join("disk");
    const content = writeMixed(path);
    const { blocks } = statSync(path);
    const chunksSha256 = referenceDigest(content);
    expect(await sealFile(host, path, { sparse: false })).toMatchObject({ chunksSha256 });
    expect(statSync(path).blocks).toBe(blocks);
    let refused = 0;
    const holeless = {
      ...host,
      files: {
        ...host.files,
        open: async (...args: Parameters<typeof host.files.open>): Promise<HostFile> => {
          const file = await host.files.open(...args);
          file.punchHole = async () => {
            refused += 1;
            throw Object.assign(new Error("no holes"), { code: "ENOTSUP" });
          };
          return file;
        },
      },
    };
    expect(await sealFile(holeless, path)).toMatchObject({ chunksSha256 });
    expect(refused).toBe(1);
    expect(statSync(path).blocks).toBe(blocks);
  });

  test("can be sealed again, with the same outcome", async () => {
    using directory = temporaryDirectory();
    const path = directory.join("memory");
    writeMixed(path);
    const first = await sealFile(host, path);
    const { blocks } = statSync(path);
    expect(await sealFile(asOrdinaryUser(), path)).toEqual(first);
    expect(statSync(path)).toMatchObject({ blocks, mode: 0o100400 });
  });

  test("comes with the others of its directory, in the order that was asked for", async () => {
    using directory = temporaryDirectory();
    for (const name of ["b", "a", "c"]) writeFileSync(directory.join(name), name);
    const files = await sealDirectory(host, directory.path, ["b", "a", "c"]);
    expect(files.map(({ name }) => name)).toEqual(["b", "a", "c"]);
    expect(files[0]?.chunksSha256).toBe(referenceDigest(Buffer.from("b")));
    await expect(sealDirectory(host, directory.path, ["b", "gone"])).rejects.toMatchObject({
      code: "ENOENT",
    });
    const reason = new Error("no more");
    const signal = AbortSignal.abort(reason);
    await expect(sealDirectory(host, directory.path, ["b"], { signal })).rejects.toBe(reason);
  });
});

describe("the files of a snapshot", () => {
  const content = { content: true };

  test("are found whole, the manifest beside them being no matter", async () => {
    using directory = temporaryDirectory();
    writeMixed(directory.join("memory-ranges"));
    writeFileSync(directory.join("state.json"), "{}");
    const names = ["memory-ranges", "state.json"];
    const files = await sealDirectory(host, directory.path, names);
    writeFileSync(directory.join("silk.json"), "{}");
    await verifyFiles(host, directory.path, files, content);
  });

  const damages: readonly (readonly [
    what: string,
    damage: (path: string) => void,
    words: RegExp | string,
  ])[] = [
    ["that is missing", (path) => unlinkSync(path), "memory-ranges is missing"],
    [
      "that was cut",
      (path) => truncateSync(path, 8 * mib + 100),
      "memory-ranges is 4096 bytes short",
    ],
    [
      "that has grown",
      (path) => truncateSync(path, 9 * mib),
      /memory-ranges is \d+ bytes too long/,
    ],
    [
      "that is a symlink",
      (path) => {
        renameSync(path, `${path}.other`);
        symlinkSync(`${path}.other`, path);
      },
      "memory-ranges is a symlink and no file",
    ],
    [
      "that is a directory",
      (path) => {
        unlinkSync(path);
        mkdirSync(path);
      },
      "memory-ranges is no file but a directory",
    ],
    [
      "that is a FIFO",
      (path) => {
        unlinkSync(path);
        execFileSync("mkfifo", [path]);
      },
      "memory-ranges is no file but a fifo",
    ],
    [
      "that does not belong",
      (path) => writeFileSync(`${path}.x`, ""),
      "memory-ranges.x is not a part of it",
    ],
  ];
  for (const [what, damage, words] of damages)
    test(`one ${what} is found without reading the others`, async () => {
      using directory = temporaryDirectory();
      const path = directory.join("memory-ranges");
      writeSparse(path, 8 * mib + 4196, [{ position: 0, bytes: dense(100) }]);
      const files = await sealDirectory(host, directory.path, ["memory-ranges"]);
      chmodSync(path, 0o600);
      damage(path);
      await expect(
        verifyFiles(host, directory.path, files, { content: false }),
      ).rejects.toMatchObject({
        code: "SNAPSHOT_DAMAGED",
        kind: "failed",
        message:
          typeof words === "string" ? expect.stringContaining(words) : expect.stringMatching(words),
      });
    });

  test("one with a single bit flipped is found where the content is checked", async () => {
    using directory = temporaryDirectory();
    const path = directory.join("cow.raw");
    const bytes = writeMixed(path);
    const files = await sealDirectory(host, directory.path, ["cow.raw"]);
    for (const position of [0, 2 * mib, 7 * mib, bytes.length - 1]) {
      const flipped = Buffer.from(bytes);
      flipped[position] = (flipped[position] ?? 0) ^ 0x10;
      chmodSync(path, 0o600);
      writeFileSync(path, flipped);
      await verifyFiles(host, directory.path, files, { content: false });
      await expect(verifyFiles(host, directory.path, files, content)).rejects.toMatchObject({
        code: "SNAPSHOT_DAMAGED",
        message: expect.stringContaining(
          `cow.raw does not have the content that the manifest tells: expected ${files[0]?.chunksSha256}`,
        ),
      });
    }
  });
});

describe("files outside of a snapshot", () => {
  test("are what the snapshot was made with, also behind a symlink", async () => {
    using directory = temporaryDirectory();
    const path = directory.join("vmlinux");
    writeFileSync(path, dense(2 * mib));
    symlinkSync(path, directory.join("link"));
    const chunksSha256 = referenceDigest(readFileSync(path));
    const externals = [
      { path, sizeBytes: 2 * mib, chunksSha256 },
      { path: directory.join("link"), chunksSha256 },
      { path },
    ];
    await verifyExternals(host, externals, { content: true });
  });

  test("that are missing, or others, are told by their path", async () => {
    using directory = temporaryDirectory();
    const path = directory.join("vmlinux");
    writeFileSync(path, dense(100));
    const chunksSha256 = referenceDigest(dense(100, 2));
    const other = {
      code: "SNAPSHOT_FOREIGN_FILE",
      kind: "conflict",
      message: `${path} is not the file that the snapshot was made with`,
      hint: expect.stringContaining("--allow-path"),
    };
    const verify = (
      external: { readonly path: string; sizeBytes?: number; chunksSha256?: string },
      content: boolean,
    ): Promise<void> => verifyExternals(host, [external], { content });
    await expect(verify({ path, chunksSha256 }, true)).rejects.toMatchObject(other);
    await verify({ path, chunksSha256 }, false);
    await expect(verify({ path, sizeBytes: 99 }, false)).rejects.toMatchObject(other);
    await expect(verify({ path: directory.path }, false)).rejects.toMatchObject({
      code: "SNAPSHOT_FOREIGN_FILE",
    });
    await expect(verify({ path: directory.join("gone") }, false)).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      kind: "not-found",
      message: expect.stringContaining(directory.join("gone")),
    });
  });
});
