import { join } from "node:path";
import { cmdlineOf, type Engine } from "@silkvm/core";
import imagesPlugin, { openImages } from "@silkvm/images";
import { linuxHost } from "@silkvm/sys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blobsIn, imagesMissing, writeVmImage } from "./image-scene.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { expectAlive, filesBelow } from "./snapshot-scene.ts";
import { type SnapshotTarget, snapshotTargets } from "./snapshot-targets.ts";

const small = { cpus: 1, memoryBytes: 64 * 1024 ** 2, storageBytes: 16 * 1024 ** 2 };

describe.each(snapshotTargets)("VMs of images, on $name", (target) => {
  describe.skipIf(target.missing !== undefined || imagesMissing !== undefined)("", () => {
    imageTests(target);
  });
});

function imageTests(target: SnapshotTarget): void {
  let sandbox: Sandbox;
  let engine: Engine;
  let digest: string;
  const { guest } = target;
  const images = () => openImages({ host: linuxHost(), rootDir: sandbox.config.rootDir });

  beforeAll(async () => {
    sandbox = await makeSandbox(await target.vmm(), [imagesPlugin]);
    engine = await sandbox.engine();
    const layout = await writeVmImage(sandbox, target, "web");
    await using opened = images();
    await opened.import(layout.directory, { name: "web:1.0" });
    digest = layout.digest;
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });

  it("have the image's kernel, its layers in order below their own disk, and a cmdline that names them", async () => {
    await using vm = await engine.create({ ...small, image: "web:1.0" }, { dispose: "delete" });
    const view = await vm.inspect();
    expect(view.config).toMatchObject({
      image: "web:1.0",
      imageDigest: digest,
      imageType: "oci-vm",
    });
    expect(view.disks.map(({ role, serial, readonly }) => [role, serial, readonly])).toEqual([
      ["layer", "cocoon-layer0", true],
      ["layer", "cocoon-layer1", true],
      ["layer", "cocoon-layer2", true],
      ["cow", "cocoon-cow", false],
    ]);
    expect(cmdlineOf(view)).toContain(
      " cocoon.layers=cocoon-layer2,cocoon-layer1,cocoon-layer0 cocoon.cow=cocoon-cow ",
    );
    expect([...view.imageBlobIds].toSorted()).toEqual(await blobsIn(sandbox));
    const { image } = (await engine.list()).find(({ id }) => id === vm.id) ?? {};
    expect(image).toBe("web:1.0");
  });

  it("start, are saved, cloned, taken back, and hibernate, as any VM does", async () => {
    const vm = await engine.create({ ...small, image: "web:1.0", name: "life" });
    await vm.start();
    await guest.remember(vm, "before");
    const { id } = await vm.save({ name: "life-1" });
    await guest.remember(vm, "after");
    const { vm: clone } = await engine.clone({ snapshot: id }, { name: "life-clone" });
    expect(await guest.recall(clone)).toBe("before");
    const cloned = await clone.inspect();
    expect(cloned.config.imageDigest).toBe(digest);
    expect(cloned.imageBlobIds).toEqual((await vm.inspect()).imageBlobIds);
    await vm.restore({ snapshot: id });
    expect(await guest.recall(vm)).toBe("before");
    await engine.hibernate("life");
    await engine.wake("life");
    expect(await guest.recall(vm)).toBe("before");
    for (const each of [vm, clone]) await expectAlive(guest, each);
    // What was restored boots again by itself, from the same layers.
    await clone.stop({ force: true });
    await clone.start();
    await expectAlive(guest, clone);
    await engine.delete(["life", "life-clone"], { force: true });
    await engine.snapshots.delete(["life-1"]);
  }, 60_000);

  it("live on when their image is removed; what they need goes with the last of them", async () => {
    await using opened = openImages({
      host: linuxHost(),
      rootDir: sandbox.config.rootDir,
      references: () => engine.blobReferences(),
    });
    const layout = await writeVmImage(sandbox, target, "gone");
    const shared = await blobsIn(sandbox);
    await opened.import(layout.directory, { name: "gone:1.0" });
    const vm = await engine.create({ ...small, image: "gone:1.0", name: "survivor" });
    await vm.start();
    await vm.save({ name: "survivor-1" });
    const { freed, kept } = await opened.remove("gone:1.0");
    expect(freed).toEqual([]);
    expect(kept.flatMap(({ by }) => by)).toContain("the VM survivor");
    expect(await engine.gc()).toEqual([]);
    await vm.stop({ force: true });
    await vm.start();
    await expectAlive(guest, vm);

    await vm.delete({ force: true });
    expect(await engine.gc()).toEqual([]);
    const { vm: clone } = await engine.clone({ snapshot: "survivor-1" }, {});
    await expectAlive(guest, clone);
    await clone.delete({ force: true });
    await engine.snapshots.delete(["survivor-1"]);

    const planned = await engine.gc({ dryRun: true });
    expect(planned.length).toBeGreaterThan(0);
    for (const { kind, why } of planned)
      expect([kind, why]).toEqual(["image", "no image, VM or snapshot needs it"]);
    expect((await engine.gc()).map(({ name }) => name)).toEqual(planned.map(({ name }) => name));
    expect(await blobsIn(sandbox)).toEqual(shared);
  }, 60_000);

  it("that cannot be made leave nothing behind, and hold nothing of the image", async () => {
    const before = await blobsIn(sandbox);
    const create = (spec: object) => engine.create({ ...small, image: "web:1.0", ...spec });
    await expect(create({ storageBytes: 0 })).rejects.toMatchObject({ code: "INVALID_DISK" });
    await expect(create({ boot: { firmware: "/dev/null" } })).rejects.toMatchObject({
      code: "INVALID_SPEC",
    });
    await expect(create({ disks: [{ path: "/nonexistent" }] })).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
    });
    await expect(create({ guest: { user: "me" } })).rejects.toMatchObject({ code: "INVALID_SPEC" });
    await expect(create({ image: "nosuch:1", pull: "never" })).rejects.toMatchObject({
      code: "IMAGE_NOT_FOUND",
    });
    expect(await engine.list({ all: true })).toEqual([]);
    expect(await filesBelow(join(sandbox.config.rootDir, "vms"))).toEqual([]);
    await using opened = images();
    // A lease that was forgotten would make this fail as busy.
    expect(await opened.collectGarbage({ waitMs: 0 })).toEqual([]);
    expect(await blobsIn(sandbox)).toEqual(before);
  });
}
