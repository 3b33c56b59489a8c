import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, test } from "vitest";
import { dense } from "../../test/sparse-file.ts";
import { end, extension, file, header, padded, pax, pieces, tar } from "../../test/tar-bytes.ts";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { unpackFiles, type UnpackRule } from "./unpack-files.ts";

const host = linuxHost();
const mib = 2 ** 20;

const writeAll = (): UnpackRule => ({ maxBytes: 8 * mib, action: "write" });
const sparse10 = [
  ["GNU.sparse.major", "1"],
  ["GNU.sparse.minor", "0"],
  ["GNU.sparse.name", "disk"],
] as const;

/** A sparse file of version 1.0 with this list and so much data. */
function version10(list: string, dataBytes: number, realSize = "1000000"): Buffer {
  const content = Buffer.concat([padded(list), dense(dataBytes)]);
  return tar(
    pax(...sparse10, ["GNU.sparse.realsize", realSize]),
    header({ name: "GNUSparseFile.0/disk", sizeBytes: content.length }),
    padded(content),
  );
}

function cocoon(map: string, size: string, dataBytes: number): Buffer {
  return tar(
    pax(["COCOON.sparse.map", map], ["COCOON.sparse.size", size]),
    file("disk", dense(dataBytes)),
  );
}

const twoGib = Buffer.alloc(12);
twoGib[0] = 0x80;
twoGib.writeUInt32BE(2 ** 31, 8);
const beyondSafe = Buffer.alloc(12, 0xff);
beyondSafe[0] = 0x80;
const negative = Buffer.alloc(12, 0xff);

const hostile: readonly (readonly [what: string, archive: Buffer, words: RegExp])[] = [
  ["is empty", Buffer.alloc(0), /ends too soon/],
  [
    "is no tar archive",
    Buffer.from("hello\n".repeat(200)),
    /a header in it is damaged, or it is no tar/,
  ],
  ["has a name that goes up", tar(file("../evil", "x")), /"\.\.\/evil" is no plain file name/],
  ["has the name of the directory above", tar(file("..", "x")), /is no plain file name/],
  ["has the name of the directory", tar(file(".", "x")), /is no plain file name/],
  ["has an absolute name", tar(file("/etc/passwd", "x")), /"\/etc\/passwd" is no plain file name/],
  ["has a name in a directory", tar(file("a/b", "x")), /is no plain file name/],
  [
    "has a name in a directory by its prefix",
    tar(header({ name: "b", prefix: "a" })),
    /is no plain file name/,
  ],
  ["has a name that hides", tar(file(".hidden", "x")), /is no plain file name/],
  ["has a name that is empty", tar(header({ name: "" })), /is no plain file name/],
  [
    "has a name with a control character",
    tar(file("a\u001b[2J", "x")),
    /"a\\u001b\[2J" is no plain file name/,
  ],
  [
    "has a pax name with a NUL",
    tar(pax(["path", "a\0/../b"]), file("c", "x")),
    /is no plain file name/,
  ],
  [
    "has a pax name that goes up",
    tar(pax(["path", "../evil"]), file("fine", "x")),
    /is no plain file name/,
  ],
  [
    "has a sparse name that goes up",
    tar(
      pax(["GNU.sparse.name", "../evil"], ["GNU.sparse.size", "1"], ["GNU.sparse.map", "0,1"]),
      file("fine", "x"),
    ),
    /is no plain file name/,
  ],
  [
    "has a long GNU name that goes up",
    tar(extension("L", "../evil\0"), file("fine", "x")),
    /is no plain file name/,
  ],
  [
    "has a name of a thousand characters",
    tar(pax(["path", "a".repeat(1000)]), file("b", "x")),
    /is no plain file name/,
  ],
  ["has a file that nobody wants", tar(file("unwanted", "x")), /unwanted does not belong into it/],
  ["has a file twice", tar(file("a", "1"), file("a", "2")), /a is in it twice/],
  [
    "has a hard link",
    tar(header({ name: "a", type: "1", linkName: "/etc/passwd" })),
    /a is a hard link/,
  ],
  ["has a symlink", tar(header({ name: "a", type: "2", linkName: "/etc" })), /a is a symlink/],
  ["has a character device", tar(header({ name: "a", type: "3" })), /a is a character device/],
  ["has a block device", tar(header({ name: "a", type: "4" })), /a is a block device/],
  ["has a directory", tar(header({ name: "a/", type: "5" })), /is a directory/],
  ["leaves its own directory", tar(file("./../x", "x")), /is no plain file name/],
  [
    "has a name in its own directory twice",
    tar(file("./a", "x"), file("a", "x")),
    /is in it twice/,
  ],
  ["has nothing but a name in its own directory", tar(file("./", "x")), /is no plain file name/],
  ["has its own directory as a link", tar(header({ name: "./", type: "2" })), /is a symlink/],
  ["has a FIFO", tar(header({ name: "a", type: "6" })), /a is a FIFO/],
  [
    "has a kind of file that is not known",
    tar(header({ name: "a", type: "V" })),
    /a is of a kind \("V"\)/,
  ],
  [
    "has a file that is too large",
    tar(header({ name: "a", sizeBytes: 9 * mib })),
    /a is 9437184 bytes large, and at most 8388608 are expected/,
  ],
  [
    "has a file that is too large by a binary size",
    tar(header({ name: "a", sizeField: twoGib })),
    /a is 2147483648 bytes large/,
  ],
  [
    "has a size beyond all numbers",
    tar(header({ name: "a", sizeField: beyondSafe })),
    /a number in one of its headers/,
  ],
  [
    "has a negative size",
    tar(header({ name: "a", sizeField: negative })),
    /a number in one of its headers/,
  ],
  [
    "has a size that is none",
    tar(header({ name: "a", sizeField: "12x45678901\0" })),
    /a number in one of its headers/,
  ],
  [
    "has a pax size that is negative",
    tar(pax(["size", "-1"]), file("a", "x")),
    /size in it is no number/,
  ],
  [
    "has a pax size beyond all numbers",
    tar(pax(["size", "99999999999999999999"]), file("a", "x")),
    /size in it is no number/,
  ],
  [
    "has a pax size that is too large",
    tar(pax(["size", "9437184"]), file("a", "x")),
    /at most 8388608/,
  ],
  [
    "has a header with another sum",
    tar(Buffer.from(file("a", "x")).fill("z", 5, 6)),
    /a header in it is damaged/,
  ],
  [
    "has a pax header that is cut",
    tar(extension("x", "30 path=abc\n"), file("a", "x")),
    /a pax header in it is damaged/,
  ],
  [
    "has a pax header of no length",
    tar(extension("x", "0 path=abc\n"), file("a", "x")),
    /a pax header in it is damaged/,
  ],
  [
    "has a pax header of a negative length",
    tar(extension("x", "-9 a=bcd\n"), file("a", "x")),
    /a pax header in it is damaged/,
  ],
  [
    "has a pax header without a key",
    tar(extension("x", "7 abcd\n"), file("a", "x")),
    /a pax header in it is damaged/,
  ],
  [
    "has a pax header of zeros",
    tar(extension("x", Buffer.alloc(64)), file("a", "x")),
    /a pax header in it is damaged/,
  ],
  [
    "has two pax headers for a file",
    tar(pax(["a", "b"]), pax(["c", "d"]), file("a", "x")),
    /two pax headers/,
  ],
  ["has a pax header without a file", tar(pax(["path", "a"])), /its last header has no file/],
  [
    "has a huge pax header",
    tar(header({ type: "x", sizeBytes: 2 ** 33 - 1 })),
    /its headers are too large/,
  ],
  [
    "has a huge GNU name",
    tar(header({ type: "L", sizeBytes: 2 ** 30 })),
    /its headers are too large/,
  ],
  [
    "has a global header that names files",
    tar(extension("g", "10 path=a\n"), file("b", "x")),
    /a header for all of its files/,
  ],
  ["is cut in a header", tar(file("a", dense(2000))).subarray(0, 300), /ends too soon/],
  ["is cut in a file", tar(file("a", dense(2000))).subarray(0, 1500), /ends too soon/],
  [
    "is cut in the padding of a file",
    tar(file("a", dense(2000))).subarray(0, 2520),
    /ends too soon/,
  ],
  ["is cut in front of its end", tar(file("a", dense(2000))).subarray(0, 2560), /ends too soon/],
  ["is cut in the middle of its end", tar(file("a", "x")).subarray(0, 1536), /ends too soon/],
  [
    "has a lone block of zeros among its files",
    Buffer.concat([file("a", "x"), Buffer.alloc(512), tar(file("b", "x"))]),
    /a block of zeros among its files/,
  ],
  [
    "goes on behind its end",
    Buffer.concat([tar(file("a", "x")), file("b", "x"), end]),
    /something comes after its end/,
  ],
  [
    "has junk behind its end",
    Buffer.concat([tar(file("a", "x")), Buffer.from("junk")]),
    /something comes after its end/,
  ],
  [
    "has a sparse list out of order",
    version10("2\n4096\n512\n0\n512\n", 1024),
    /out of order or beyond/,
  ],
  [
    "has a sparse list with overlaps",
    version10("2\n0\n1024\n512\n512\n", 1536),
    /out of order or beyond/,
  ],
  [
    "has a sparse list beyond the file",
    version10("1\n999999\n512\n", 512),
    /out of order or beyond/,
  ],
  [
    "has a sparse list of negative numbers",
    version10("1\n-512\n512\n", 512),
    /no number, or too large/,
  ],
  [
    "has a sparse list of numbers beyond all",
    version10("1\n9007199254740993\n512\n", 512),
    /no number, or too large/,
  ],
  [
    "has a sparse list that overflows",
    version10("1\n9007199254740991\n9007199254740991\n", 512, "9007199254740991"),
    /out of order or beyond/,
  ],
  [
    "has a sparse list that is longer than the file",
    version10("4000000000\n", 512),
    /list of the data of a sparse file in it (is cut short|is no list)|no number/,
  ],
  ["has a sparse list of no numbers", version10("x".repeat(600), 512), /no list of numbers/],
  [
    "has a sparse list for more data than there is",
    version10("1\n0\n4096\n", 512),
    /has 512 bytes of data and tells of 4096/,
  ],
  [
    "has a sparse list for less data than there is",
    version10("1\n0\n512\n", 1024),
    /has 1024 bytes of data and tells of 512/,
  ],
  [
    "has a sparse file of 8 PiB",
    version10("1\n0\n512\n", 512, String(2 ** 53 - 1)),
    /disk is 9007199254740991 bytes large/,
  ],
  [
    "has a sparse file without a size",
    tar(pax(...sparse10), file("disk", "x")),
    /a sparse file in it has no size/,
  ],
  [
    "has a sparse file of a version that is not known",
    tar(pax(["GNU.sparse.major", "2"], ["GNU.sparse.minor", "0"]), file("disk", "x")),
    /version 2\.0, which is not known/,
  ],
  [
    "has a sparse file of version 0.1 with an odd list",
    tar(pax(["GNU.sparse.size", "10"], ["GNU.sparse.map", "0,1,2"]), file("disk", "x")),
    /cut short/,
  ],
  [
    "has a sparse file of version 0.1 with a wrong count",
    tar(
      pax(["GNU.sparse.size", "10"], ["GNU.sparse.numblocks", "3"], ["GNU.sparse.map", "0,1"]),
      file("disk", "x"),
    ),
    /has not the length that it tells/,
  ],
  [
    "has a sparse file of version 0.0 out of turn",
    tar(
      pax(["GNU.sparse.size", "10"], ["GNU.sparse.offset", "0"], ["GNU.sparse.offset", "1"]),
      file("disk", "x"),
    ),
    /no number/,
  ],
  [
    "has an old GNU sparse file with a negative size",
    tar(
      header({
        name: "disk",
        type: "S",
        magic: "gnu",
        edit: (block) => block.fill(0xff, 483, 495),
      }),
    ),
    /a number in one of its headers/,
  ],
  [
    "has an old GNU sparse file that goes on without end",
    Buffer.concat([
      header({ name: "disk", type: "S", magic: "gnu", edit: (block) => block.fill(1, 482, 483) }),
    ]),
    /ends too soon/,
  ],
  [
    "has a list of Cocoon's that is no list",
    cocoon("{}", "10", 1),
    /list of the data of a sparse file in it is none/,
  ],
  [
    "has a list of Cocoon's that is no JSON",
    cocoon("[{", "10", 1),
    /list of the data of a sparse file in it is none/,
  ],
  [
    "has a list of Cocoon's with overlaps",
    cocoon('[{"o":0,"l":5},{"o":4,"l":1}]', "10", 6),
    /out of order or beyond/,
  ],
  [
    "has a list of Cocoon's with fractions",
    cocoon('[{"o":0.5,"l":1}]', "10", 1),
    /out of order or beyond/,
  ],
  [
    "has a list of Cocoon's with a negative length",
    cocoon('[{"o":5,"l":-1},{"o":4,"l":2}]', "10", 1),
    /out of order or beyond/,
  ],
  [
    "has a list of Cocoon's without a size",
    tar(pax(["COCOON.sparse.map", "[]"]), file("disk", "")),
    /a sparse file in it has no size/,
  ],
  [
    "has a list of Cocoon's for less data than there is",
    cocoon('[{"o":0,"l":5}]', "10", 6),
    /has 6 bytes of data and tells of 5/,
  ],
  [
    "is gzip that is damaged",
    Buffer.from(gzipSync(tar(file("a", dense(5000))))).fill(0x55, 900, 950),
    /cannot be decompressed|is damaged|too soon/,
  ],
  [
    "is gzip that is cut",
    gzipSync(tar(file("a", dense(5000)))).subarray(0, 3000),
    /cannot be decompressed|too soon/,
  ],
  [
    "is zstd that is damaged",
    Buffer.from(zstdCompressSync(tar(file("a", dense(5000))))).fill(0x55, 20, 60),
    /cannot be decompressed/,
  ],
  [
    "is zstd that is cut",
    zstdCompressSync(tar(file("a", dense(5000)))).subarray(0, 3000),
    /cannot be decompressed|too soon/,
  ],
];

describe("an archive is refused in a sentence, and leaves nothing but what came before, when it", () => {
  for (const [what, archive, words] of hostile)
    test(what, async () => {
      using directory = temporaryDirectory();
      mkdirSync(directory.join("in"));
      const unpacking = unpackFiles(host, pieces(archive), directory.join("in"), {
        rule: (name) => (name === "unwanted" ? undefined : writeAll()),
      });
      await expect(unpacking).rejects.toMatchObject({
        name: "SilkError",
        code: "ARCHIVE_INVALID",
        kind: "invalid",
        message: expect.stringMatching(words),
      });
      await expect(unpacking).rejects.not.toMatchObject({ message: expect.stringContaining("\n") });
      expect(await host.files.list(directory.path)).toEqual(["in"]);
    });
});

test("a file that is in the way, also a link to somewhere else, is left as it is", async () => {
  using directory = temporaryDirectory();
  const outside = directory.join("outside");
  writeFileSync(outside, "precious");
  for (const place of [symlinkSync, linkSync]) {
    mkdirSync(directory.join(place.name));
    place(outside, directory.join(place.name, "disk"));
    await expect(
      unpackFiles(host, pieces(tar(file("disk", "evil"))), directory.join(place.name), {
        rule: writeAll,
      }),
    ).rejects.toMatchObject({ code: "FILE_EXISTS" });
  }
  expect(readFileSync(outside, "utf8")).toBe("precious");
});

test("a bomb of zeros behind the end, or of headers that say nothing, is not read to its end", async () => {
  using directory = temporaryDirectory();
  let given = 0;
  async function* endless(first: Buffer, more: Buffer): AsyncGenerator<Uint8Array> {
    yield first;
    for (given = 0; ; given += more.length) yield more;
  }
  const unpack = (first: Buffer, more: Buffer): Promise<unknown> =>
    unpackFiles(host, endless(first, more), directory.path, { rule: writeAll });
  await expect(unpack(tar(file("a", "x")), Buffer.alloc(mib))).rejects.toMatchObject({
    code: "ARCHIVE_INVALID",
  });
  expect(given).toBeLessThan(100 * mib);
  const comment = extension("g", `${mib} comment=${"x".repeat(mib - 17)}\n`);
  await expect(unpack(Buffer.alloc(0), comment)).rejects.toMatchObject({
    code: "ARCHIVE_INVALID",
    message: expect.stringContaining("its headers are too large"),
  });
  expect(given).toBeLessThan(100 * mib);
});

test("a sparse file that needs more room than there is, is told at once", async () => {
  using directory = temporaryDirectory();
  const needed = 2 ** 45;
  const archive = Buffer.concat([
    pax(
      ["COCOON.sparse.map", `[{"o":0,"l":${needed}}]`],
      ["COCOON.sparse.size", String(needed + 4096)],
      ["size", String(needed)],
    ),
    header({ name: "disk" }),
  ]);
  await expect(
    unpackFiles(host, pieces(archive), directory.path, {
      rule: () => ({ maxBytes: 2 ** 50, action: "write" }),
    }),
  ).rejects.toMatchObject({ code: "DISK_FULL", kind: "failed" });
  expect(await host.files.list(directory.path)).toEqual([]);
});
