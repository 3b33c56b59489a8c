import { mkdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { isSilkError } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { array, assert, asyncProperty, constantFrom, nat, record } from "fast-check";
import { expect, test } from "vitest";
import { dense, writeSparse } from "../../test/sparse-file.ts";
import { collect, file, header, pax, pieces, tar } from "../../test/tar-bytes.ts";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { packFiles } from "./pack-files.ts";
import { unpackFiles, type UnpackedFile } from "./unpack-files.ts";

const host = linuxHost();
const kib = 1024;
const refusals: ReadonlySet<string> = new Set(["ARCHIVE_INVALID", "DISK_FULL"]);

/** Good archives of all kinds: small, so that what is changed often matters. */
async function seeds(directory: string): Promise<readonly Buffer[]> {
  writeSparse(`${directory}/sparse`, 1024 * kib, [
    { position: 0, bytes: dense(100) },
    { position: 256 * kib, bytes: dense(4 * kib, 2) },
  ]);
  writeSparse(`${directory}/dense`, 700, [{ position: 0, bytes: dense(700) }]);
  const ours = await collect(packFiles(host, directory, ["sparse", "dense"]));
  const version0 = tar(
    pax(
      ["GNU.sparse.size", "9000"],
      ["GNU.sparse.numblocks", "2"],
      ["GNU.sparse.map", "0,512,4096,512"],
    ),
    file("old", dense(1024)),
    file("next", dense(10)),
  );
  const oldGnu = tar(
    header({
      name: "gnu",
      type: "S",
      magic: "gnu",
      sizeBytes: 512,
      edit: (block) => {
        block.write("00000004000\0", 386);
        block.write("00000001000\0", 398);
        block.write("00000020000\0", 483);
      },
    }),
    dense(512),
  );
  const cocoon = tar(
    file("snapshot.json", "{}"),
    pax(
      ["COCOON.sparse.map", '[{"o":0,"l":512},{"o":4096,"l":88}]'],
      ["COCOON.sparse.size", "9000"],
    ),
    file("disk", dense(600)),
  );
  return [ours, version0, oldGnu, cocoon, gzipSync(ours), gzipSync(cocoon)];
}

const change = record({
  kind: constantFrom("flip", "set", "cut", "copy", "remove", "insert"),
  at: nat(),
  to: nat(),
  length: nat(1500),
  value: constantFrom(0, 0x2d, 0x30, 0x37, 0x39, 0x78, 0x80, 0xff),
});

/** Changes near headers, where most of an archive's meaning is, as often as anywhere. */
function changed(
  bytes: Buffer,
  {
    kind,
    at,
    to,
    length,
    value,
  }: { kind: string; at: number; to: number; length: number; value: number },
): Buffer {
  if (bytes.length === 0) return bytes;
  const place = (number: number): number =>
    number % 2 === 0 ? number % bytes.length : number % Math.min(2048, bytes.length);
  const start = place(at);
  const copy = Buffer.from(bytes);
  if (kind === "flip") copy[start] = (copy[start] ?? 0) ^ (1 << (to % 8));
  else if (kind === "set")
    copy
      .subarray(start)
      .subarray(0, (length % 12) + 1)
      .fill(value);
  else if (kind === "cut") return copy.subarray(0, start);
  else if (kind === "copy") copy.copy(copy, place(to), start, start + length);
  else if (kind === "remove")
    return Buffer.concat([copy.subarray(0, start), copy.subarray(start + length)]);
  else
    return Buffer.concat([
      copy.subarray(0, start),
      Buffer.alloc(length, value),
      copy.subarray(start),
    ]);
  return copy;
}

test("a damaged archive is refused, or unpacked to what its digests tell, and touches nothing else", async () => {
  using source = temporaryDirectory();
  const good = await seeds(source.path);
  const outcomes = { refused: 0, unpacked: 0 };
  await assert(
    asyncProperty(nat(good.length - 1), array(change, { maxLength: 4 }), async (seed, changes) => {
      using directory = temporaryDirectory("/dev/shm");
      mkdirSync(directory.join("in"));
      const archive = changes.reduce(changed, good[seed] ?? Buffer.alloc(0));
      let files: readonly UnpackedFile[];
      try {
        files = await unpackFiles(host, pieces(archive), directory.join("in"), {
          rule: () => ({ maxBytes: 4096 * kib, action: "write" }),
          signal: AbortSignal.timeout(10_000),
        });
        outcomes.unpacked += 1;
        expect(await host.files.list(directory.join("in"))).toEqual(
          files.map(({ name }) => name).toSorted(),
        );
        for (const { name, sizeBytes } of files)
          expect(readFileSync(directory.join("in", name))).toHaveLength(sizeBytes);
      } catch (error) {
        if (!isSilkError(error) || !refusals.has(error.code)) throw error;
        outcomes.refused += 1;
      }
      expect(await host.files.list(directory.path)).toEqual(["in"]);
      for (const name of await host.files.list(directory.join("in")))
        expect(await host.files.stat(directory.join("in", name))).toMatchObject({ kind: "file" });
    }),
    { numRuns: 600 },
  );
  // A fuzzer all of whose inputs are refused, or none, tests nothing.
  expect(outcomes.refused).toBeGreaterThan(100);
  expect(outcomes.unpacked).toBeGreaterThan(30);
}, 60_000);
