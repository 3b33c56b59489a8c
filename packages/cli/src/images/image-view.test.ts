import type { ImageRecord } from "@silkvm/images";
import { describe, expect, it } from "vitest";
import { parseImageFilters } from "./image-filter.ts";
import { renderImageDetails } from "./image-details-view.ts";
import { renderImageList } from "./image-list-view.ts";
import { imageDetails, imageViews } from "./image-view.ts";
import { removalNote } from "./removal-note.ts";

const nowMs = Date.parse("2026-03-01T12:00:00.000Z");
const view = { json: false, quiet: false, pretty: false, nowMs };
const MiB = 1024 ** 2;

function record(ref: string, digest: string, blobIds: readonly string[]): ImageRecord {
  return {
    ref,
    digest: `sha256:${digest.repeat(64)}`,
    type: "oci-vm",
    sizeBytes: 1,
    pulledAt: "2026-02-27T12:00:00.000Z",
    source: ref,
    architecture: "amd64",
    layers: [],
    blobIds,
    run: {
      entrypoint: [],
      cmd: [],
      env: [],
      user: "",
      workingDir: "",
      labels: { team: "web", "odd*": "" },
    },
  };
}

const base = record("docker.io/library/base:1", "a", ["base.erofs"]);
const web = record("ghcr.io/acme/web:1.4", "b", ["base.erofs", "web.erofs", "web.kernel"]);
const alias = { ...web, ref: "docker.io/library/web:latest" };
const blobs = [
  { blobId: "base.erofs", sizeBytes: 80 * MiB },
  { blobId: "web.erofs", sizeBytes: 20 * MiB },
];
const familiar = (ref: string): string => ref.replace("docker.io/library/", "");
const all = imageViews([base, web, alias], blobs, familiar);

describe("images as commands tell of them", () => {
  it("are listed with what they take, and what is theirs alone under whatever names", () => {
    expect(renderImageList(all, view)).toMatchInlineSnapshot(`
      "NAME                  TYPE    DIGEST        SIZE  OWN  PULLED
      base:1                oci-vm  aaaaaaaaaaaa   80M   0B  2 days ago
      ghcr.io/acme/web:1.4  oci-vm  bbbbbbbbbbbb  100M  20M  2 days ago
      web:latest            oci-vm  bbbbbbbbbbbb  100M  20M  2 days ago
      "
    `);
    expect(renderImageList(all.slice(0, 1), { ...view, quiet: true })).toBe("base:1\n");
    expect(renderImageList([], { ...view, json: true })).toBe("[]\n");
  });

  it("tell who was made of them, their other names, and what is gone", () => {
    const references = [
      { blobId: "base.erofs", by: "the VM web", imageDigest: web.digest },
      { blobId: "web.erofs", by: "the VM web", imageDigest: web.digest },
      { blobId: "base.erofs", by: "the VM other", imageDigest: base.digest },
      { blobId: "base.erofs", by: "the snapshot old" },
    ];
    const details = imageDetails(web, all, blobs, references);
    expect(details).toMatchObject({
      otherNames: ["web:latest"],
      usedBy: ["the VM web"],
      missingBlobIds: ["web.kernel"],
    });
    const text = renderImageDetails(details, nowMs);
    expect(text).toContain("Used by\n  VM web\n");
    expect(text).toContain("web.kernel: pull it again (silk image pull ghcr.io/acme/web:1.4)");
  });

  it("say after a removal what is free now, and what stays for whom", () => {
    const kept = [{ sizeBytes: 80 * MiB, by: ["the image base:1", "the VM web"] }];
    const freed = [{ sizeBytes: 20 * MiB }];
    const names = ["web:1.4"];
    expect(removalNote({ names, otherNames: [], freed, kept })).toBe(
      "Removed web:1.4: 20M freed, 80M stays for the image base:1, the VM web.",
    );
    expect(removalNote({ names, otherNames: ["prod:1"], freed: [], kept })).toBe(
      "Removed web:1.4: the image is still here as prod:1.",
    );
  });
});

describe("parseImageFilters", () => {
  const names = (...filters: string[]): string[] =>
    all.filter(parseImageFilters(filters)).map(({ name }) => name);

  it("takes names with a star, and letters as they are", () => {
    expect(names("name=ghcr.io/*")).toEqual(["ghcr.io/acme/web:1.4"]);
    expect(names("name=web.latest")).toEqual([]);
    expect(names("name=base:1", "name=web:latest")).toEqual(["base:1", "web:latest"]);
    expect(names(`digest=${web.digest}`, "type=oci-vm", "label=team=web", "label=odd*")).toEqual([
      "ghcr.io/acme/web:1.4",
      "web:latest",
    ]);
    expect(names("label=team=db")).toEqual([]);
  });

  it("refuses what is no filter, and types that there are not", () => {
    expect(() => names("web")).toThrow('"web" is no filter');
    expect(() => names("size=1")).toThrow('"size=1" is no filter');
    expect(() => names("type=vm")).toThrow('there is no type "vm"');
  });
});
