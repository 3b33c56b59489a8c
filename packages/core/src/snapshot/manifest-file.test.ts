import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkManifest, parseManifest, writeManifest } from "./manifest-file.ts";
import { manifestName, type SnapshotManifest } from "./manifest.ts";

const digest = "0".repeat(64);

const manifest: SnapshotManifest = {
  format: "silk-snapshot",
  version: 1,
  id: "abc",
  name: "web-1",
  description: "before the update",
  createdAt: "2026-01-02T03:04:05.678Z",
  backend: "b",
  host: { arch: "x64", vmmVersion: "v1" },
  vm: {
    id: "vm1",
    name: "web",
    config: {
      cpus: 1,
      memoryBytes: 2 ** 40 + 1,
      storageBytes: 0,
      netQueueSize: 0,
      diskQueueSize: 0,
      noDirectIo: false,
      windows: false,
      sharedMemory: false,
      hugepages: false,
    },
    boot: { kind: "direct", kernelPath: "/k", cmdline: "console=hvc0" },
    disks: [
      { path: "/base", role: "layer", readonly: true, serial: "l0" },
      { path: "/vm/cow.raw", role: "cow", readonly: false, file: "cow.raw" },
    ],
    nics: [],
    labels: { "1": "one", tier: "web" },
    imageBlobIds: [],
    firstBooted: true,
  },
  externals: [{ path: "/k", sizeBytes: 1, chunksSha256: digest }, { path: "/base" }],
  files: [{ name: "cow.raw", sizeBytes: 5, chunksSha256: digest }],
};

/** Only what writing one file takes. */
const host = {
  files: {
    writeAtomic: async (path: string, content: string) => writeFileSync(path, content),
    sync: async () => {},
  },
} as unknown as Parameters<typeof writeManifest>[0];

async function written(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "silk-manifest-"));
  await writeManifest(host, directory, manifest);
  return readFileSync(join(directory, manifestName), "utf8");
}

describe("a manifest", () => {
  it("is read as it was written", async () => {
    expect(parseManifest(await written(), "m")).toEqual(manifest);
  });

  it("of which one bit has changed is refused, whichever it is", async () => {
    const bytes = Buffer.from(await written());
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(() => parseManifest(damaged.toString("utf8"), "m")).toThrow(
        expect.objectContaining({ code: "INVALID_MANIFEST" }),
      );
    }
  });

  it.each<[string, object]>([
    ["a file in another directory", { files: [{ ...manifest.files[0], name: "../cow.raw" }] }],
    [
      "a file that is the manifest itself",
      { files: [{ ...manifest.files[0], name: "silk.json" }] },
    ],
    ["a file twice", { files: [manifest.files[0], manifest.files[0]] }],
    ["a disk whose file is missing", { files: [] }],
    ["a kernel that is not told of", { externals: [{ path: "/base" }] }],
    ["a base disk that is not told of", { externals: [{ path: "/k" }] }],
    [
      "a size beyond what a number holds",
      { files: [{ ...manifest.files[0], sizeBytes: 2 ** 53 }] },
    ],
    [
      "a writable layer",
      { vm: { ...manifest.vm, disks: [{ path: "/b", role: "layer", readonly: false }] } },
    ],
    ["a newer version", { version: 2 }],
  ])("with %s is refused", (_what, change) => {
    expect(() => checkManifest({ ...manifest, ...change }, "m")).toThrow(
      expect.objectContaining({ kind: "invalid" }),
    );
  });
});
