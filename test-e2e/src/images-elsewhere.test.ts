import { spawnSync } from "node:child_process";
import { createReadStream, createWriteStream, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Engine } from "@silkvm/core";
import imagesPlugin, { openImages } from "@silkvm/images";
import { exportSnapshot, importSnapshot, imageInfo } from "@silkvm/storage";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { imagesMissing, writeVmImage } from "./image-scene.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { expectAlive } from "./snapshot-scene.ts";
import { snapshotTargets } from "./snapshot-targets.ts";

const small = { cpus: 1, memoryBytes: 64 * 1024 ** 2 };
const hasQemuImg = spawnSync("which", ["qemu-img"]).status === 0;
if (!hasQemuImg) console.warn("skipped in part: qemu-img is not installed");

describe.each(snapshotTargets)("a snapshot of a VM of an image, on $name", (target) => {
  describe.skipIf(target.missing !== undefined || imagesMissing !== undefined)("", () => {
    it("comes up under another root that has the image, and says which one it needs where it has not", async () => {
      await using here = await makeSandbox(await target.vmm(), [imagesPlugin]);
      await using there = await makeSandbox(await target.vmm(), [imagesPlugin]);
      await using engine = await here.engine();
      await using other = await there.engine();
      const { directory, digest } = await writeVmImage(here, target, "web");
      await take(here, directory, "ghcr.io/acme/web:1.0");
      const vm = await engine.create({ ...small, image: "ghcr.io/acme/web:1.0", name: "web" });
      await vm.start();
      await target.guest.remember(vm, "luggage");
      await vm.save({ name: "saved" });
      await move(engine, other, here);

      await expect(other.clone({ snapshot: "saved" }, {})).rejects.toMatchObject({
        code: "IMAGE_MISSING",
        kind: "not-found",
        hint: expect.stringContaining(`silk image pull ghcr.io/acme/web:1.0@${digest}`) as string,
      });
      expect(await other.list({ all: true })).toEqual([]);

      await take(there, directory, "ghcr.io/acme/web:1.0");
      const { vm: clone } = await other.clone({ snapshot: "saved" }, { name: "clone" });
      expect(await target.guest.recall(clone)).toBe("luggage");
      const view = await clone.inspect();
      const layers = view.disks.filter(({ role }) => role === "layer").map(({ path }) => path);
      expect(layers).toHaveLength(3);
      const { boot } = view;
      const kernel = boot.kind === "direct" ? boot.kernelPath : "";
      for (const path of [...layers, kernel]) expect(path).toContain(`${there.dir}/root/images/`);
      await target.guest.remember(clone, "changed");
      await clone.restore({ snapshot: "saved" });
      expect(await target.guest.recall(clone)).toBe("luggage");
      await clone.stop({ force: true });
      await clone.start();
      await expectAlive(target.guest, clone);
      // The snapshot alone keeps the image, too.
      await clone.delete({ force: true });
      await remove(there, other, "ghcr.io/acme/web:1.0");
      expect(await other.gc({ dryRun: true })).toEqual([]);
    }, 60_000);

    it("uses no layer that was made into other bytes than its guest has in memory", async () => {
      await using here = await makeSandbox(await target.vmm(), [imagesPlugin]);
      await using there = await makeSandbox(await target.vmm(), [imagesPlugin]);
      await using engine = await here.engine();
      await using other = await there.engine();
      const { directory } = await writeVmImage(here, target, "web");
      await take(here, directory, "web:1.0");
      await take(there, directory, "web:1.0");
      const vm = await engine.create({ ...small, image: "web:1.0", name: "web" });
      await vm.start();
      await vm.save({ name: "saved" });
      await move(engine, other, here);
      const [blobId = ""] = (await vm.inspect()).imageBlobIds.filter((id) => id.endsWith(".erofs"));
      const path = join(there.dir, "root/images/blobs", blobId);
      const { size } = statSync(path);
      spawnSync("chmod", ["u+w", path]);
      writeFileSync(path, Buffer.alloc(size, "x"));
      await expect(other.clone({ snapshot: "saved" }, {})).rejects.toMatchObject({
        code: "SNAPSHOT_FOREIGN_FILE",
        hint: expect.stringContaining("mkfs.erofs") as string,
      });
      expect(await other.list({ all: true })).toEqual([]);
    }, 60_000);

    it.skipIf(!hasQemuImg)(
      "finds the disk below the overlay of a cloud image anew",
      async () => {
        await using here = await makeSandbox(await target.vmm(), [imagesPlugin]);
        await using there = await makeSandbox(await target.vmm(), [imagesPlugin]);
        await using engine = await here.engine();
        await using other = await there.engine();
        const disk = join(here.dir, "cloud.raw");
        writeFileSync(disk, mbr(32 * 1024 ** 2));
        await take(here, disk, "cloud:1");
        const firmware = (await target.spec()).boot.kernel;
        const vm = await engine.create({
          ...small,
          image: "cloud:1",
          boot: { firmware },
          name: "cloud",
        });
        await vm.start();
        await vm.save({ name: "saved" });
        await move(engine, other, here);
        await take(there, disk, "cloud:1");
        const { vm: clone } = await other.clone({ snapshot: "saved" }, { allowPaths: [firmware] });
        await expectAlive(target.guest, clone);
        const own = (await clone.inspect()).disks.find(({ role }) => role === "cow");
        if (own?.path.endsWith(".qcow2") === true) {
          const { backingFile } = await imageInfo(linuxHost(), own.path);
          expect(backingFile).toContain(`${there.dir}/root/images/blobs/`);
        }
        await clone.restore({ snapshot: "saved" }, { allowPaths: [firmware] });
        await expectAlive(target.guest, clone);
      },
      60_000,
    );
  });
});

/** Takes an image from this machine into a root. */
async function take({ config }: Sandbox, path: string, name: string): Promise<void> {
  await using images = openImages({ host: linuxHost(), rootDir: config.rootDir });
  await images.import(path, { name });
}

async function remove({ config }: Sandbox, engine: Engine, name: string): Promise<void> {
  const references = () => engine.blobReferences();
  await using images = openImages({ host: linuxHost(), rootDir: config.rootDir, references });
  await images.remove(name);
}

/** Takes the snapshot `saved` from one root to another, as a file. */
async function move(from: Engine, to: Engine, { dir }: Sandbox): Promise<void> {
  mkdirSync(join(dir, "out"), { recursive: true });
  const archive = join(dir, "out/saved.tar");
  await pipeline(await exportSnapshot(from, "saved"), createWriteStream(archive));
  await importSnapshot(to, createReadStream(archive), { name: "saved" });
}

/** A disk as far as its first sector. */
function mbr(sizeBytes: number): Buffer {
  const disk = Buffer.alloc(sizeBytes);
  disk.writeUInt16BE(0x55aa, 510);
  return disk;
}
