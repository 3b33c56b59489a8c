import { createHash } from "node:crypto";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { linuxHost } from "@silkvm/sys";
import { array, assert, boolean, constant, nat, oneof, property, record } from "fast-check";
import { expect, test } from "vitest";
import { referenceDigest } from "../../test/reference-digest.ts";
import { dense, writeSparse } from "../../test/sparse-file.ts";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { ChunkHasher } from "./chunk-hasher.ts";
import { hashFile } from "./hash-file.ts";

const host = linuxHost();
const mib = 2 ** 20;

test("an empty file has the digest of nothing", async () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("empty"), "");
  expect(await hashFile(host, directory.join("empty"))).toEqual({
    sizeBytes: 0,
    chunksSha256: createHash("sha256").digest("hex"),
  });
});

for (const parent of ["/tmp", "/dev/shm"]) {
  test(`the digest in ${parent} is that of the content, wherever there are holes and zeros`, async () => {
    using directory = temporaryDirectory(parent);
    const path = directory.join("file");
    const sizes = [1, mib - 1, mib, mib + 1, 9 * mib + 12_345];
    for (const sizeBytes of sizes) {
      writeSparse(path, sizeBytes, []);
      expect((await hashFile(host, path)).chunksSha256).toBe(referenceDigest(readFileSync(path)));
      writeSparse(path, sizeBytes, [
        { position: 0, bytes: dense(Math.min(sizeBytes, 5000)) },
        { position: Math.floor(sizeBytes / 2), bytes: dense(Math.ceil(sizeBytes / 4), 2) },
      ]);
      expect(await hashFile(host, path)).toEqual({
        sizeBytes,
        chunksSha256: referenceDigest(readFileSync(path)),
      });
    }
  });
}

test("the same bytes have the same digest in whatever pieces they are given", () => {
  assert(
    property(
      array(
        record({
          length: oneof(nat(10), nat(3 * mib), constant(mib)),
          isZero: boolean(),
        }),
        { maxLength: 6 },
      ),
      (pieces) => {
        const hasher = new ChunkHasher();
        const content = pieces.map(({ length, isZero }) => {
          const bytes = Buffer.alloc(length, isZero ? 0 : 7);
          if (isZero) hasher.zeros(length);
          else hasher.update(bytes);
          return bytes;
        });
        const whole = Buffer.concat(content);
        expect(hasher.sizeBytes).toBe(whole.length);
        expect(hasher.digest()).toBe(referenceDigest(whole));
      },
    ),
    { numRuns: 40 },
  );
});

test("a hole of many TiB takes no time", async () => {
  using directory = temporaryDirectory();
  writeSparse(directory.join("hole"), 4 * 2 ** 40, [{ position: 2 ** 41, bytes: dense(10) }]);
  const { sizeBytes } = await hashFile(host, directory.join("hole"));
  expect(sizeBytes).toBe(4 * 2 ** 40);
});

test("an abort ends it with the signal's reason, and a symlink is not followed", async () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), dense(3 * mib));
  symlinkSync(directory.join("file"), directory.join("link"));
  const reason = new Error("no more");
  const signal = AbortSignal.abort(reason);
  await expect(hashFile(host, directory.join("file"), { signal })).rejects.toBe(reason);
  await expect(hashFile(host, directory.join("link"))).rejects.toMatchObject({ code: "ELOOP" });
});
