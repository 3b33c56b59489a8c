import { describe, expect, it } from "vitest";
import {
  hugeNumber,
  memoryPartOf,
  snapshotDocuments,
  type SnapshotShape,
  snapshotTexts,
} from "../test/snapshot-texts.ts";
import { cowObstacle, makePlain, rewriteForCow } from "./cow-rewrite.ts";
import { formatDocuments } from "./snapshot-documents.ts";

const gib = 1024 ** 3;
/** A guest of 4 GiB, whose memory makes room for devices below 4 GiB. */
const split = [
  [0, 3 * gib],
  [4 * gib, gib],
] as const;
/** The same with a DIMM, as the VMM orders it after a memory hot-add. */
const disordered = [
  [4 * gib, gib],
  [0, 3 * gib],
  [5 * gib, gib],
] as const;

function rewritten(shape: SnapshotShape, sizeBytes: number, path = "/clone/memory-ranges") {
  const texts = formatDocuments(rewriteForCow(snapshotDocuments(shape), { path, sizeBytes }));
  const { memory } = JSON.parse(texts.config) as {
    memory: { size: number; zones: Record<string, unknown>[] };
  };
  return { texts, memory, state: memoryPartOf(texts.state) };
}

describe("a snapshot that is rewritten to be mapped", () => {
  it("has one zone on the file, private, not read ahead, and as large as the guest's memory", () => {
    const { memory } = rewritten({}, gib);
    expect(memory.zones).toEqual([
      {
        id: "mem0",
        size: gib,
        file: "/clone/memory-ranges",
        shared: false,
        hugepages: false,
        prefault: false,
        reserve: false,
        mergeable: false,
      },
    ]);
  });

  it("has no memory beside the zone, since the VMM refuses both", () => {
    expect(rewritten({}, gib).memory.size).toBe(0);
  });

  it("has nothing to read any more", () => {
    expect(rewritten({}, gib).state.memory_ranges).toEqual({ data: [] });
  });

  it("has the zone's id in both files", () => {
    const { memory, state } = rewritten({ ranges: split }, 4 * gib);
    for (const mapping of state.guest_ram_mappings)
      expect(mapping.zone_id).toBe(memory.zones[0]?.["id"]);
  });

  it.each([
    ["above 3 GiB", split, [0, 3 * gib]],
    ["in whatever order the file has it", disordered, [0, gib, 4 * gib]],
  ])("finds each part of the guest's memory in the file, %s", (_, ranges, offsets) => {
    const sizeBytes = ranges.reduce((sum, [, length]) => sum + length, 0);
    const { state } = rewritten({ ranges }, sizeBytes);
    expect(state.guest_ram_mappings.map(({ file_offset: at }) => at)).toEqual(offsets);
  });

  it("keeps every digit, every field and every order that it is not about", () => {
    const before = snapshotTexts();
    const { texts } = rewritten({}, gib);
    expect(texts.state).toContain(hugeNumber);
    expect(texts.state).toContain("of_a_later_version");
    const kept = JSON.parse(before.config) as Record<string, unknown>;
    expect(Object.keys(JSON.parse(texts.config) as object)).toEqual(Object.keys(kept));
    expect(makePlainText(texts)).toBe(before.config);
  });
});

/** Of a VM on mapped memory the VMM writes the zone, and the ranges that it saved. */
function makePlainText({ config }: { readonly config: string }): string {
  const documents = snapshotDocuments();
  const mapped = { ...documents, config: JSON.parse(config) as Record<string, unknown> };
  return formatDocuments(makePlain(mapped)).config;
}

describe("a snapshot cannot be mapped", () => {
  it.each<[string, SnapshotShape, number, RegExp]>([
    ["whose file is too short", {}, gib - 4096, /has \d+ bytes, and the guest has/],
    ["whose file is too long", {}, gib + 4096, /has \d+ bytes, and the guest has/],
    ["of shared memory", { memory: { shared: true } }, gib, /shared/],
    ["of huge pages", { memory: { hugepages: true } }, gib, /huge pages/],
    ["of memory that is merged", { memory: { mergeable: true } }, gib, /merging/],
    ["of memory in zones", { memory: { zones: [] } }, gib, /zones/],
    ["of memory that can grow", { memory: { hotplug_size: gib } }, gib, /added/],
    ["of memory that has grown", { memory: { size: 2 * gib } }, gib, /added to the guest/],
    ["of virtio-mem", { mapping: { virtio_mem: true } }, gib, /virtio-mem/],
    ["of another zone", { mapping: { zone_id: "mem1" } }, gib, /zones/],
    ["whose mappings are of no range", { mapping: { gpa: 8 * gib } }, gib, /unknown way/],
    ["whose mappings are of other sizes", { mapping: { size: 4096 } }, gib, /unknown way/],
    ["without memory", { ranges: [] }, 0, /no memory/],
    [
      "with two ranges at one address",
      {
        ranges: [
          [0, gib],
          [0, gib],
        ],
      },
      2 * gib,
      /unknown way/,
    ],
  ])("%s", (_, shape, sizeBytes, why) => {
    const documents = snapshotDocuments(shape);
    expect(cowObstacle(documents, sizeBytes)).toMatch(why);
    expect(() => rewriteForCow(documents, { path: "/m", sizeBytes })).toThrow(why);
  });

  it("from a path that is not absolute", () => {
    expect(() => rewritten({}, gib, "memory-ranges")).toThrow(/no absolute path/);
  });
});

describe("the snapshot of a VM on mapped memory", () => {
  const zone = { id: "mem0", size: 4 * gib, file: "/parent/memory-ranges", shared: false };
  const mapped = (more: Readonly<Record<string, unknown>> = {}): SnapshotShape => ({
    ranges: split,
    memory: { size: 0, zones: [{ ...zone, ...more }] },
    mapping: { file_offset: 3 * gib },
  });

  it("is made one like any other: it names no file, and can be mapped itself", () => {
    const plain = makePlain(snapshotDocuments(mapped()));
    expect(formatDocuments(plain)).toEqual(snapshotTexts({ ranges: split }));
    expect(cowObstacle(plain, 4 * gib)).toBeUndefined();
  });

  it.each([
    ["has a zone that silk did not make", { id: "node0" }, /did not make/],
    ["does not hold all of the zone", { size: 5 * gib }, /whole memory/],
  ])("is refused where it %s", (_, more, why) => {
    expect(() => makePlain(snapshotDocuments(mapped(more)))).toThrow(why);
  });

  it("stays as it is where its memory was not mapped", () => {
    const documents = snapshotDocuments();
    expect(makePlain(documents)).toBe(documents);
  });
});
