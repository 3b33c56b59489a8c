import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { exportSnapshot, exportSnapshotTo, importSnapshot } from "@silkvm/storage";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { makeSandbox } from "./sandbox.ts";
import { expectAlive, expectNothingLeft, filesBelow, onScene } from "./snapshot-scene.ts";
import { mainSnapshotTargets } from "./snapshot-targets.ts";

const host = linuxHost();

describe.each(mainSnapshotTargets)("on $name", (target) => {
  describe.skipIf(target.missing !== undefined)("a snapshot that goes elsewhere", () => {
    it.each([undefined, "gzip", "zstd"] as const)(
      "as an archive (%s) is there what it was here, to the byte",
      async (compression) => {
        await onScene(target, async ({ engine, sandbox, guest, boot }) => {
          const source = await boot("traveller");
          await guest.remember(source, "luggage");
          await guest.fill(source, 8);
          await guest.writeDisk(source, 3, "luggage");
          const { id } = await source.save({ name: "trip", description: "to elsewhere" });
          const archive = join(sandbox.dir, "trip.tar");
          await pipeline(
            await exportSnapshot(engine, "trip", { compression }),
            createWriteStream(archive),
          );
          const here = await engine.snapshots.inspect(id);

          await using elsewhere = await makeSandbox(await target.vmm());
          await using there = await elsewhere.engine();
          const view = await importSnapshot(there, createReadStream(archive), {});
          expect(view).toMatchObject({ name: "trip", description: "to elsewhere", imported: true });
          const arrived = await there.snapshots.inspect(view.id);
          for (const { name } of here.manifest.files) {
            const [sent, got] = await Promise.all(
              [here, arrived].map(({ directory }) => readFile(join(directory, name))),
            );
            expect([name, sent!.equals(got!)]).toEqual([name, true]);
          }
          expect(arrived.manifest.files).toEqual(here.manifest.files);
          await source.delete({ force: true });
          const { vm } = await there.clone({ snapshot: "trip" }, { name: "arrived" });
          expect(await guest.recall(vm)).toBe("luggage");
          expect(await guest.isFilled(vm, 8)).toBe(true);
          expect(await guest.readDisk(vm, 3)).toBe("luggage");
          await expectAlive(guest, vm);
          await expectNothingLeft(there, elsewhere);
        });
      },
      60_000,
    );

    it("as a directory is cloned from there, and nothing is written into it", async () => {
      await onScene(target, async ({ engine, sandbox, guest, boot }) => {
        const source = await boot("source");
        await guest.remember(source, "shelf");
        await source.save({ name: "shelf" });
        const directory = join(sandbox.dir, "shelf");
        await exportSnapshotTo(engine, "shelf", directory);
        const before = await readdir(directory);
        const { vm } = await engine.clone({ directory }, { name: "from-shelf" });
        expect(await guest.recall(vm)).toBe("shelf");
        await source.restore({ directory });
        expect(await guest.recall(source)).toBe("shelf");
        expect(await readdir(directory)).toEqual(before);
        await mkdir(join(sandbox.dir, "used"));
        await host.files.writeAtomic(join(sandbox.dir, "used/file"), "", { mode: 0o600 });
        await expect(
          exportSnapshotTo(engine, "shelf", join(sandbox.dir, "used")),
        ).rejects.toMatchObject({ name: "SilkError" });
        expect(await readdir(join(sandbox.dir, "used"))).toEqual(["file"]);
      });
    });

    it("cannot be removed while it is being read, and can once its reader has gone", async () => {
      await onScene(target, async ({ engine, boot }) => {
        const vm = await boot("read");
        const { id } = await vm.save();
        const stream = await exportSnapshot(engine, id);
        await stream[Symbol.asyncIterator]().next();
        const { failed } = await engine.snapshots.delete([id], { wait: false });
        expect(failed[0]?.error).toMatchObject({ code: "SNAPSHOT_BUSY", retryable: true });
        stream.destroy();
        expect((await engine.snapshots.delete([id])).failed).toEqual([]);
      });
    });

    it("that breaks off leaves nothing, and arrives the next time", async () => {
      await onScene(target, async ({ engine, sandbox, boot }) => {
        const vm = await boot("cut");
        await vm.save({ name: "cut" });
        const archive = join(sandbox.dir, "cut.tar");
        await pipeline(await exportSnapshot(engine, "cut"), createWriteStream(archive));
        const { size } = await stat(archive);
        for (const end of [0, 511, 100_000, size - 1_100]) {
          const part = createReadStream(archive, { start: 0, end });
          await expect(importSnapshot(engine, part, { name: "copy" })).rejects.toMatchObject({
            name: "SilkError",
          });
          expect(await engine.snapshots.list()).toHaveLength(1);
          expect(await engine.gc({ dryRun: true })).toEqual([]);
          const kept = await filesBelow(join(sandbox.config.rootDir, "snapshots"));
          expect(kept.filter((name) => name.includes("import"))).toEqual([]);
        }
        const view = await importSnapshot(engine, createReadStream(archive), {
          name: "copy",
        });
        expect(view.name).toBe("copy");
        await expect(
          importSnapshot(engine, createReadStream(archive), { name: "copy" }),
        ).rejects.toMatchObject({ code: "SNAPSHOT_EXISTS" });
      });
    });
  });
});
