import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Bed, canConvert } from "./bed.ts";
import { writeLayout } from "./oci-layout.ts";
import { buildTar } from "./tar-builder.ts";

const layer = (name: string) => ({
  tar: buildTar([
    { name: "./", type: "5" },
    { name, content: name },
  ]),
});

describe.skipIf(!canConvert)("garbage", () => {
  test("what an image, a VM or a snapshot needs stays, and it is said for whom", async () => {
    const needs: { blobId: string; by: string }[] = [];
    await using bed = new Bed({ references: async () => needs });
    writeLayout(bed.path("a"), [{ layers: [layer("base"), layer("a")] }]);
    writeLayout(bed.path("b"), [{ layers: [layer("base"), layer("b")] }]);
    const a = (await bed.images.import(bed.path("a"), { name: "a" })).image;
    const b = (await bed.images.import(bed.path("b"), { name: "b" })).image;
    const [base = "", onlyA = ""] = a.blobIds;
    const [, onlyB = ""] = b.blobIds;
    needs.push({ blobId: base, by: "the VM web" }, { blobId: onlyA, by: "the snapshot golden" });

    const removed = await bed.images.remove("a");
    expect(removed.freed).toEqual([]);
    expect(removed.kept).toEqual(
      [
        {
          blobId: base,
          by: ["the image b:latest", "the VM web"],
          sizeBytes: expect.any(Number) as number,
        },
        { blobId: onlyA, by: ["the snapshot golden"], sizeBytes: expect.any(Number) as number },
      ].sort((x, y) => (x.blobId < y.blobId ? -1 : 1)),
    );
    expect(existsSync(bed.blob(onlyA))).toBe(true);

    expect((await bed.images.remove("b")).freed.map(({ name }) => name).sort()).toEqual(
      [bed.blob(onlyB), `${bed.blob(onlyB)}.facts`].sort(),
    );
    needs.length = 0;
    const plan = await bed.images.planGarbage();
    expect(plan.kept).toEqual([]);
    expect(plan.garbage.every(({ why }) => why === "no image, VM or snapshot needs it")).toBe(true);
    expect(readdirSync(bed.path("root/images/blobs"))).toHaveLength(4);
    await bed.images.collectGarbage();
    expect(readdirSync(bed.path("root/images/blobs"))).toEqual([]);
    // It was forgotten what the layers had become, too.
    expect((await bed.images.import(bed.path("a"), { name: "a" })).image.blobIds).toEqual(
      a.blobIds,
    );
  });

  test("what is left of pulls whose process has died is removed, and nothing of those that live", async () => {
    await using bed = new Bed();
    writeLayout(bed.path("a"), [{ layers: [layer("a")] }]);
    await bed.images.import(bed.path("a"), { name: "a" });
    const images = bed.path("root/images");
    mkdirSync(`${images}/work/0123456789abcdef/root`, { recursive: true });
    writeFileSync(`${images}/downloads/sha256-00.partial`, "x");
    writeFileSync(`${images}/blobs/.abc.facts.tmp`, "x");
    const { lease } = await bed.images.lease("a");
    expect((await bed.images.planGarbage()).garbage).toEqual([]);
    await lease.release();
    expect((await bed.images.planGarbage()).garbage.map(({ kind }) => kind).sort()).toEqual([
      "blob",
      "download",
      "work",
    ]);
    await bed.images.collectGarbage();
    expect((await bed.images.planGarbage()).garbage).toEqual([]);
    expect(bed.images.inspect("a").type).toBe("oci-container");
    await expect(
      bed.images.lease("a").then(({ lease: again }) => again.release()),
    ).resolves.toBeUndefined();
  });

  test("a root directory without images is left as it is by whoever only looks", async () => {
    await using bed = new Bed();
    expect(bed.images.list()).toEqual([]);
    expect(await bed.images.planGarbage()).toEqual({ garbage: [], kept: [] });
    expect(await bed.images.collectGarbage()).toEqual([]);
    expect(existsSync(bed.rootDir)).toBe(false);
  });
});
