import { createReadStream } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Engine, SnapshotView } from "@silkvm/core";
import { importSnapshot, type ImportOptions } from "@silkvm/storage";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildGuest } from "./guest.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { silkIn } from "./silk.ts";
import { ask } from "./snapshot-console.ts";
import { type SnapshotTarget, snapshotTargets } from "./snapshot-targets.ts";

const archive = fileURLToPath(new URL("../fixtures/counterpart-snapshot.tar.gz", import.meta.url));

/** What the snapshot in the archive needs of its host: in a directory that was chosen for this. */
const hostDir = "/tmp/silk-counterpart";
const layerDigest = "62e91e2148d6a59f471361571fa4397b45517726e7f6deece7cce1533a489232";
const needed = {
  layer: `${hostDir}/root/oci/blobs/${layerDigest}.erofs`,
  kernel: `${hostDir}/root/oci/boot/${layerDigest}/vmlinuz`,
  initrd: `${hostDir}/root/oci/boot/${layerDigest}/initrd.img`,
};
const layerBytes = 64 * 1024;

let hostFiles: readonly string[] = [];

/** The files that the counterpart had made from an image, as far as the guest sees them: it looks into none. */
async function provide(): Promise<void> {
  const { kernelPath } = await buildGuest({});
  const contents = {
    [needed.layer]: Buffer.alloc(layerBytes),
    [needed.kernel]: await readFile(kernelPath),
    [needed.initrd]: Buffer.alloc(512),
  };
  for (const [path, content] of Object.entries(contents)) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  hostFiles = Object.keys(contents);
}

async function withdraw(): Promise<void> {
  if (hostFiles.length > 0) await rm(hostDir, { recursive: true });
  hostFiles = [];
}

async function take(engine: Engine, options: ImportOptions = {}): Promise<SnapshotView> {
  return await importSnapshot(engine, createReadStream(archive), options);
}

async function on(
  target: SnapshotTarget,
  test: (engine: Engine, sandbox: Sandbox) => Promise<void>,
): Promise<void> {
  await using sandbox = await makeSandbox(await target.vmm());
  await using engine = await sandbox.engine();
  await test(engine, sandbox);
  const ids = (await engine.list({ all: true })).map(({ id }) => id);
  expect((await engine.delete(ids, { force: true })).failed).toEqual([]);
}

afterAll(withdraw);

describe.each(snapshotTargets)("an archive of the counterpart's, on $name", (target) => {
  describe.skipIf(target.missing)("", () => {
    beforeAll(withdraw);

    it("is taken in with all that it tells", async () => {
      await on(target, async (engine) => {
        const { id, ...view } = await take(engine);
        expect(id).not.toBe("");
        expect(view).toMatchObject({
          name: "counterpart-snapshot",
          description: "made by the counterpart",
          backend: "cloud-hypervisor",
          cpus: 1,
          memoryBytes: 512 * 1024 ** 2,
          nics: 0,
          parentId: null,
          imported: true,
        });
        const { manifest, allocatedBytes } = await engine.snapshots.inspect(id);
        expect(manifest.vm.disks).toMatchObject([
          { role: "layer", readonly: true, serial: "cocoon-layer0", path: needed.layer },
          { role: "cow", readonly: false, serial: "cocoon-cow", file: "cow.raw" },
        ]);
        expect(manifest.vm.boot).toEqual({
          kind: "direct",
          kernelPath: needed.kernel,
          initrdPath: needed.initrd,
          cmdline: expect.stringContaining("cocoon.cow=cocoon-cow"),
        });
        expect(manifest.vm.config).toMatchObject({
          image: "localhost:5000/silk-guest:1",
          imageType: "oci",
          storageBytes: 10 * 1024 ** 3,
        });
        const sizes = manifest.files.map(({ name, sizeBytes }) => [name, sizeBytes]);
        expect(Object.fromEntries(sizes)).toMatchObject({
          "cow.raw": 10 * 1024 ** 3,
          "memory-ranges": 512 * 1024 ** 2,
        });
        // Holes are holes: ten GiB of disk and half a GiB of memory are next to nothing.
        expect(allocatedBytes).toBeLessThan(16 * 1024 ** 2);
      });
    });

    it("cannot be cloned where the files that it needs are not allowed, and they are named", async () => {
      await on(target, async (engine) => {
        const { id } = await take(engine);
        const refused = await engine.clone({ snapshot: id }).catch((error: Error) => error);
        expect(refused).toMatchObject({ message: expect.stringContaining(hostDir) });
        expect((refused as Error).message).not.toContain("\n");
        expect(await engine.list({ all: true })).toEqual([]);
      });
    });

    it("cannot be cloned where a file that it needs is missing, and that is named", async () => {
      await on(target, async (engine) => {
        const { id } = await take(engine);
        await expect(
          engine.clone({ snapshot: id }, { allowPaths: [hostDir] }),
        ).rejects.toMatchObject({
          code: "FILE_NOT_FOUND",
          message: expect.stringContaining(hostDir),
        });
        expect(await engine.list({ all: true })).toEqual([]);
      });
    });

    it("may name its files when it is taken in, but not where they are missing", async () => {
      await on(target, async (engine) => {
        await expect(take(engine, { allowPaths: [hostDir] })).rejects.toMatchObject({
          code: "FILE_NOT_FOUND",
        });
        expect(await engine.snapshots.list()).toEqual([]);
      });
    });
  });
});

const real = snapshotTargets.find(({ name }) => name === "cloud-hypervisor") as SnapshotTarget;

describe.skipIf(real.missing)("a VM of the counterpart's on a real Cloud Hypervisor", () => {
  beforeAll(provide);

  it.each(["cow", "copy"] as const)("goes on where it was, its memory by %s", async (mode) => {
    await on(real, async (engine) => {
      const { id } = await take(engine);
      const { vm, memory } = await engine.clone(
        { snapshot: id },
        { name: "clone", restoreMode: mode, strict: true, allowPaths: [hostDir] },
      );
      expect(memory).toMatchObject({ requested: mode, used: mode });
      expect(await ask(vm, "mark")).toBe("mark from-the-counterpart");
      expect(await ask(vm, "memcheck 7 1")).toBe("ok");
      expect(await ask(vm, "read cocoon-cow 4096000")).toBe("data written-under-the-counterpart");
      expect(await ask(vm, "disks")).toBe("disks 2 cocoon-layer0:128:ro cocoon-cow:20971520");

      // It is a VM like any other: it can be saved, and stopped and booted.
      expect(await ask(vm, "write cocoon-cow 4096001 under-silk")).toBe("ok");
      const saved = await vm.save({ name: "again" });
      const again = await engine.clone({ snapshot: saved.id }, { name: "clone-of-clone" });
      expect(await ask(again.vm, "mark")).toBe("mark from-the-counterpart");
      expect(await ask(again.vm, "read cocoon-cow 4096001")).toBe("data under-silk");
      await vm.stop();
      await vm.start();
      expect(await ask(vm, "mark")).not.toContain("from-the-counterpart");
      expect(await ask(vm, "read cocoon-cow 4096000")).toBe("data written-under-the-counterpart");
    });
  });

  it("comes by the command line, too", async () => {
    await on(real, async (_engine, sandbox) => {
      const silk = silkIn(sandbox);
      await silk.ok("snapshot", "import", archive, "--name", "theirs");
      const refused = await silk.error(["vm", "clone", "theirs"]);
      expect(refused).toMatchObject({ hint: expect.stringContaining("--allow-path") });
      await silk.ok("vm", "clone", "theirs", "--name", "web", "--allow-path", hostDir);
      expect(await silk.json<{ name: string; state: string }[]>("vm", "list")).toMatchObject([
        { name: "web", state: "running" },
      ]);
    });
  });
});
