import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Bed, canMount, has, look, mountStack, run, type SeenFile } from "./bed.ts";
import { type ImageFixture, writeLayout } from "./oci-layout.ts";
import { buildTar, type TarEntry } from "./tar-builder.ts";

const directory = (name: string, more: Partial<TarEntry> = {}): TarEntry => ({
  name: `${name}/`,
  type: "5",
  ...more,
});
const file = (name: string, content: string, more: Partial<TarEntry> = {}): TarEntry => ({
  name,
  content,
  ...more,
});
/** u::rw-,u:1000:r--,g::r--,m::r--,o::r-- */
const acl = Buffer.from(
  "0200000001000600ffffffff02000400e803000004000400ffffffff10000400ffffffff20000400ffffffff",
  "hex",
);
const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");

/** Programs that convert: that on PATH, and the one in a directory that the environment names. */
const newer = process.env["SILK_TEST_MKFS_EROFS"];
const converters = [
  { name: "on PATH", path: undefined as string | undefined },
  ...(newer === undefined ? [] : [{ name: newer, path: newer }]),
];

interface StackCase {
  readonly name: string;
  readonly layers: readonly (readonly TarEntry[])[];
  /** Directories that nobody has described have the time at which they were unpacked. */
  readonly timeless?: readonly string[];
}

const cases: readonly StackCase[] = [
  {
    name: "kinds, owners, modes, times, attributes and odd names",
    layers: [
      [
        directory(".", { mode: 0o751, uid: 3, mtime: 1_500_000_000 }),
        directory("bin", { mtime: 1, pax: { mtime: "1234567.123456789" } }),
        file("bin/su", "setuid", { mode: 0o4755, uid: 0, gid: 12 }),
        file("bin/ping", "caps", { pax: { "SCHILY.xattr.security.capability": capability } }),
        file("bin/attr", "x", {
          pax: {
            "SCHILY.xattr.user.binary": Buffer.from([0, 1, 10, 255, 61]),
            "SCHILY.xattr.user.empty": "",
          },
        }),
        file("bin/acl", "x", {
          mode: 0o644,
          pax: {
            "SCHILY.xattr.system.posix_acl_access": acl,
            "SCHILY.xattr.trusted.mine": "t",
            "SCHILY.xattr.security.mine": "s",
          },
        }),
        { name: "bin/sh", type: "2", link: "su", mode: 0o777 },
        { name: "bin/long", type: "2", link: "/x".repeat(120), mode: 0o777 },
        { name: "null", type: "3", device: [1, 3], mode: 0o666 },
        { name: "disk", type: "4", device: [259, 65_600], mode: 0o660, gid: 6 },
        { name: "pipe", type: "6", mode: 0o600 },
        directory("sticky", { mode: 0o1777 }),
        file(" leading and trailing ", "spaces"),
        file("new\nline", "n"),
        file("-rf", "dash"),
        file("\\back'quote\"", "quotes"),
        file("\xff\xfe not utf-8", "bytes"),
        file("\xc3\xa9t\xc3\xa9", "utf-8"),
        file("d".repeat(200), "long name"),
        directory("a".repeat(150)),
        file(`${"a".repeat(150)}/${"b".repeat(240)}`, "long path"),
        file("empty", ""),
        file("future", "f", { mtime: 4_000_000_000 }),
        file("old", "o", { mtime: 0 }),
        file("uids", "u", { pax: { uid: "4000000", gid: "5000000" } }),
        file("page", "p".repeat(4096)),
        file("large", "0123456789abcdef".repeat(100_000)),
        file("hard", "linked"),
        { name: "hard-2", type: "1", link: "hard" },
        { name: "bin/hard-3", type: "1", link: "./hard-2" },
      ],
    ],
  },
  {
    name: "whiteouts, opaque directories and replacements",
    layers: [
      [
        directory("."),
        directory("keep"),
        file("keep/a", "a"),
        file("keep/b", "b"),
        directory("gone"),
        file("gone/x", "x"),
        directory("opaque"),
        file("opaque/old", "old"),
        directory("opaque/sub"),
        file("opaque/sub/old", "old"),
        directory("again"),
        file("again/old", "old"),
        file("file-to-dir", "f"),
        directory("dir-to-file"),
        file("dir-to-file/x", "x"),
        directory("dir-to-link"),
        file("dir-to-link/x", "x"),
        { name: "link-to-dir", type: "2", link: "keep", mode: 0o777 },
      ],
      [
        directory("."),
        directory("keep", { mode: 0o700 }),
        file("keep/.wh.a", ""),
        file(".wh.gone", ""),
        directory("opaque"),
        file("opaque/.wh..wh..opq", ""),
        file("opaque/new", "new"),
        file(".wh.again", ""),
        directory("again"),
        file("again/new", "new"),
        directory("file-to-dir"),
        file("file-to-dir/y", "y"),
        file("dir-to-file", "now a file"),
        { name: "dir-to-link", type: "2", link: "keep", mode: 0o777 },
        directory("link-to-dir"),
        file("link-to-dir/z", "z"),
      ],
      [
        directory("."),
        directory("gone"),
        file("gone/back", "back"),
        directory("dir-to-file"),
        file("dir-to-file/deep", "d"),
        file("keep/.wh.nothing", ""),
      ],
    ],
  },
  {
    name: "the marker of an opaque directory behind its files, and whiteouts of what a layer brings itself",
    layers: [
      [directory("."), directory("d"), file("d/old", "old"), file("f", "old")],
      [
        directory("."),
        directory("d"),
        file("d/new", "new"),
        file("d/.wh..wh..opq", ""),
        file("f", "new"),
      ],
    ],
  },
  {
    name: "hard links across layers",
    layers: [
      [
        directory("."),
        directory("lib"),
        file("lib/a", "content of a", {
          mode: 0o640,
          uid: 7,
          pax: { "SCHILY.xattr.user.k": "v", mtime: "1111111.25" },
        }),
        file("big", "b".repeat(300_000)),
      ],
      [
        directory("."),
        directory("bin"),
        { name: "bin/b", type: "1", link: "lib/a" },
        { name: "big-2", type: "1", link: "big" },
        { name: "big-3", type: "1", link: "big-2" },
      ],
      [directory("."), { name: "c", type: "1", link: "bin/b" }],
    ],
  },
  {
    name: "directories that a layer does not describe, and symlinks on the way",
    layers: [
      [
        directory("."),
        directory("usr", { mode: 0o711 }),
        directory("usr/lib", { uid: 5 }),
        file("usr/lib/one", "1"),
        { name: "lib", type: "2", link: "usr/lib", mode: 0o777 },
        { name: "abs", type: "2", link: "/usr/../usr/lib", mode: 0o777 },
        directory("var", { mode: 0o700 }),
      ],
      [directory("."), file("lib/two", "2"), file("abs/three", "3"), file("usr/lib/four", "4")],
    ],
    timeless: [],
  },
  {
    name: "the same path twice in a layer: the last one counts",
    layers: [
      [
        directory("."),
        file("a", "first"),
        file("b", "first"),
        directory("d"),
        file("d/x", "x"),
        file("a", "second", { mode: 0o600 }),
        { name: "b", type: "2", link: "a", mode: 0o777 },
        directory("d", { mode: 0o711 }),
      ],
    ],
  },
  {
    name: "entries that begin with slashes and dots",
    layers: [
      [
        directory("./"),
        directory("/etc"),
        file("/etc/passwd", "root"),
        file("./etc/./group", "g"),
        file("etc//shadow", "s"),
      ],
    ],
  },
];

const mtimeMatters = ({ what }: SeenFile): boolean => !what.startsWith("directory");

describe.skipIf(!canMount || !has("umoci"))("a mounted image is what umoci unpacks", () => {
  for (const { name: converter, path } of converters)
    test.each(cases)(`$name (mkfs.erofs ${converter})`, async ({ layers }) => {
      await using bed = new Bed();
      const before = process.env["PATH"];
      if (path !== undefined) process.env["PATH"] = `${path}:${before}`;
      bed.defer(() => void (process.env["PATH"] = before));
      const fixture: ImageFixture = {
        layers: layers.map((entries, index) => ({
          tar: buildTar(entries),
          compression: (["gzip", "zstd", "none"] as const)[index % 3],
        })),
      };
      // umoci knows no zstd.
      const forUmoci: ImageFixture = {
        layers: layers.map((entries) => ({ tar: buildTar(entries) })),
      };
      writeLayout(bed.path("layout"), [fixture]);
      writeLayout(bed.path("umoci"), [forUmoci]);
      const { image } = await bed.images.import(bed.path("layout"), { name: "odd" });
      run("umoci", "unpack", "--image", `${bed.path("umoci")}:latest`, bed.path("bundle"));
      const ours = look(
        mountStack(
          bed,
          image.layers.map(({ blobId }) => blobId),
        ),
      );
      const theirs = look(bed.path("bundle/rootfs"));
      expect(Object.keys(ours)).toEqual(Object.keys(theirs));
      for (const [at, theirFile] of Object.entries(theirs)) {
        const ourFile = ours[at] as SeenFile;
        if (mtimeMatters(theirFile)) expect({ at, ...ourFile }).toEqual({ at, ...theirFile });
        else expect({ at, ...ourFile, mtime: "" }).toEqual({ at, ...theirFile, mtime: "" });
      }
      for (const { blobId } of image.layers) run("fsck.erofs", bed.blob(blobId));
    });

  test("a layer of files with holes", async () => {
    await using bed = new Bed();
    mkdirSync(bed.path("tree"));
    execFileSync("truncate", ["-s", "64M", bed.path("tree/hole")]);
    writeFileSync(
      bed.path("tree/end"),
      Buffer.concat([Buffer.alloc(3_000_000), Buffer.from("end")]),
    );
    execFileSync("cp", ["--sparse=always", bed.path("tree/end"), bed.path("tree/sparse")]);
    for (const format of ["gnu", "posix"]) {
      run(
        "tar",
        "-C",
        bed.path("tree"),
        "-S",
        `--format=${format}`,
        "-cf",
        bed.path("tree.tar"),
        ".",
      );
      const { image } = await bed.images.import(bed.path("tree.tar"), { name: `sparse-${format}` });
      const ours = look(
        mountStack(
          bed,
          image.layers.map(({ blobId }) => blobId),
        ),
      );
      const source = look(bed.path("tree"));
      for (const name of ["hole", "end", "sparse"])
        expect(ours[name]?.what).toBe(source[name]?.what);
    }
  });
});
