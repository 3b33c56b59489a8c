import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Bed, canConvert, canMount, look, mountStack } from "./bed.ts";
import { writeLayout } from "./oci-layout.ts";
import { buildTar, type TarEntry } from "./tar-builder.ts";

const attempt = async (bed: Bed, entries: readonly TarEntry[] | Buffer): Promise<unknown> => {
  writeLayout(bed.path("layout"), [
    { layers: [{ tar: Buffer.isBuffer(entries) ? entries : buildTar(entries) }] },
  ]);
  return await bed.images
    .import(bed.path("layout"), { name: "hostile" })
    .catch((error: unknown) => error);
};

describe.skipIf(!canConvert)("layers that mean harm", () => {
  test.each<[string, readonly TarEntry[] | Buffer]>([
    ["a path that leads out", [{ name: "../outside", content: "x" }]],
    ["a path that leads out further in", [{ name: "a/../../outside", content: "x" }]],
    ["a hard link out", [{ name: "link", type: "1", link: "../../../etc/passwd" }]],
    ["a hard link to nothing", [{ name: "link", type: "1", link: "etc/passwd" }]],
    [
      "a hard link to a directory",
      [
        { name: "d/", type: "5" },
        { name: "link", type: "1", link: "d" },
      ],
    ],
    ["a whiteout without a name", [{ name: "d/.wh." }]],
    ["a whiteout of the parent", [{ name: "d/.wh..." }]],
    [
      "symlinks in a circle",
      [
        { name: "a", type: "2", link: "b" },
        { name: "b", type: "2", link: "a" },
        { name: "a/x", content: "x" },
      ],
    ],
    [
      "a file in a file",
      [
        { name: "a", content: "x" },
        { name: "a/b", content: "x" },
      ],
    ],
    ["a name that is too long", [{ name: "n".repeat(300), content: "x" }]],
    ["a NUL in a name", [{ name: "x", content: "", pax: { path: "a\0b" } }]],
    ["a kind that is not known", [{ name: "x", type: "Z" }]],
    ["a negative size", [{ name: "x", pax: { size: "-5" } }]],
    ["a size beyond all", [{ name: "x", pax: { size: "99999999999999999999" } }]],
    ["an id beyond all", [{ name: "x", pax: { uid: "-1" } }]],
    ["a header that goes on for ever", [{ name: "x", type: "x", size: 2 ** 31 }]],
    [
      "a damaged header",
      Buffer.concat([buildTar([{ name: "x" }], { end: false }).fill(7, 0, 20), Buffer.alloc(1024)]),
    ],
    [
      "an archive that was cut",
      buildTar([{ name: "x", content: "y".repeat(5000) }]).subarray(0, 2000),
    ],
    [
      "a sparse file whose pieces overlap",
      [
        {
          name: "x",
          content: "2\n0\n10\n5\n10\n".padEnd(512, "\0") + "z".repeat(20),
          pax: {
            "GNU.sparse.major": "1",
            "GNU.sparse.minor": "0",
            "GNU.sparse.name": "x",
            "GNU.sparse.realsize": "1000",
          },
        },
      ],
    ],
  ])("%s is refused", async (_, entries) => {
    await using bed = new Bed();
    const result = await attempt(bed, entries);
    expect(result).toMatchObject({ code: "LAYER_INVALID", kind: "invalid" });
    expect(readdirSync(bed.path("root/images/blobs"))).toEqual([]);
    expect(readdirSync(bed.path("root/images/work"))).toEqual([]);
    expect(existsSync(bed.path("root/images/outside"))).toBe(false);
  });

  test.each<[string, readonly TarEntry[]]>([
    ["a file of many zeros in few bytes", [{ name: "x", content: "z".repeat(3_000_000) }]],
    [
      "a sparse file that claims a size beyond all",
      [
        {
          name: "x",
          content: "0\n".padEnd(512, "\0"),
          pax: {
            "GNU.sparse.major": "1",
            "GNU.sparse.minor": "0",
            "GNU.sparse.name": "x",
            "GNU.sparse.realsize": "8000000000000",
          },
        },
      ],
    ],
  ])("%s is bounded", async (_, entries) => {
    await using bed = new Bed({ limits: { unpackedBytes: 1_000_000 } });
    expect(await attempt(bed, entries)).toMatchObject({ code: "IMAGE_TOO_LARGE", kind: "invalid" });
    expect(readdirSync(bed.path("root/images/work"))).toEqual([]);
  });

  test("more entries than are allowed are refused", async () => {
    await using bed = new Bed({ limits: { entries: 10 } });
    const entries = Array.from({ length: 11 }, (_, index) => ({ name: `f${index}` }));
    expect(await attempt(bed, entries)).toMatchObject({ code: "LAYER_INVALID" });
  });

  test.skipIf(!canMount)(
    "a symlink to the host is the guest's own, and nothing is written through it",
    async () => {
      await using bed = new Bed();
      const target = bed.path("host-file");
      writeFileSync(target, "untouched");
      const result = (await attempt(bed, [
        { name: "etc", type: "2", link: bed.directory, mode: 0o777 },
        { name: "etc/host-file", content: "overwritten" },
        { name: "up", type: "2", link: "../../../../../../../..", mode: 0o777 },
        { name: "up/escaped", content: "x" },
      ])) as { image: { layers: { blobId: string }[] } };
      const seen = look(
        mountStack(
          bed,
          result.image.layers.map(({ blobId }) => blobId),
        ),
      );
      expect(seen["etc"]?.what).toBe(`symlink ${bed.directory}`);
      // Where they lead in the image itself.
      expect(seen[`${bed.directory.slice(1)}/host-file`]?.what).toMatch(/^file 11 /);
      expect(seen["escaped"]?.what).toMatch(/^file 1 /);
      expect(existsSync("/escaped")).toBe(false);
    },
  );

  test.skipIf(!canMount)("a layer cannot tell overlayfs what to do by itself", async () => {
    await using bed = new Bed();
    writeLayout(bed.path("layout"), [
      {
        layers: [
          {
            tar: buildTar([
              { name: "./", type: "5" },
              { name: "secret/", type: "5" },
              { name: "secret/key", content: "k" },
              { name: "plain", content: "p" },
            ]),
          },
          {
            tar: buildTar([
              { name: "./", type: "5" },
              {
                name: "mine/",
                type: "5",
                pax: { "SCHILY.xattr.trusted.overlay.redirect": "/secret" },
              },
              { name: "plain", type: "3", device: [0, 0] },
            ]),
          },
        ],
      },
    ]);
    const { image } = await bed.images.import(bed.path("layout"), { name: "x" });
    const seen = look(
      mountStack(
        bed,
        image.layers.map(({ blobId }) => blobId),
      ),
    );
    expect(Object.keys(seen).sort()).toEqual([".", "mine", "secret", "secret/key"]);
  });

  test("a layer of several gzip members, and one of several zstd frames with others to be skipped, are read whole", async () => {
    await using bed = new Bed();
    const tar = buildTar([
      { name: "./", type: "5" },
      { name: "x", content: Buffer.alloc(300_000, "abc") },
    ]);
    const half = 150_000;
    const skippable = Buffer.concat([Buffer.from("502a4d1804000000", "hex"), Buffer.from("skip")]);
    const packed = {
      gzip: Buffer.concat([gzipSync(tar.subarray(0, half)), gzipSync(tar.subarray(half))]),
      zstd: Buffer.concat([
        skippable,
        zstdCompressSync(tar.subarray(0, half)),
        skippable,
        zstdCompressSync(tar.subarray(half)),
        skippable,
      ]),
    };
    const ids: string[] = [];
    for (const [name, bytes] of Object.entries(packed)) {
      writeFileSync(bed.path(name), bytes);
      ids.push((await bed.images.import(bed.path(name), { name })).image.digest);
    }
    expect(ids[0]).toBe(ids[1]);
    writeFileSync(bed.path("cut"), packed.zstd.subarray(0, packed.zstd.length - 40));
    await expect(bed.images.import(bed.path("cut"), { name: "cut" })).rejects.toMatchObject({
      kind: "invalid",
    });
  });

  test("an archive with something else in it is no image", async () => {
    await using bed = new Bed();
    writeFileSync(
      bed.path("a.tar"),
      buildTar([
        { name: "oci-layout", content: "{}" },
        { name: "blobs/../../x", content: "x" },
      ]),
    );
    await expect(bed.images.import(bed.path("a.tar"), { name: "x" })).rejects.toMatchObject({
      code: "LAYER_INVALID",
    });
    writeFileSync(
      bed.path("b.tar"),
      buildTar([
        { name: "oci-layout", content: "{}" },
        { name: "evil.sh", content: "x" },
      ]),
    );
    await expect(bed.images.import(bed.path("b.tar"), { name: "x" })).rejects.toMatchObject({
      code: "IMAGE_INVALID",
    });
    writeFileSync(
      bed.path("c.tar"),
      buildTar([
        {
          name: "manifest.json",
          content: JSON.stringify([{ Config: "/etc/passwd", Layers: ["../../etc/shadow"] }]),
        },
      ]),
    );
    await expect(bed.images.import(bed.path("c.tar"), { name: "x" })).rejects.toMatchObject({
      code: "IMAGE_INVALID",
    });
    writeFileSync(bed.path("text"), "hello, this is no image at all\n".repeat(100));
    await expect(bed.images.import(bed.path("text"), { name: "x" })).rejects.toMatchObject({
      code: "NOT_A_DISK_IMAGE",
    });
  });
});
