import { randomBytes } from "node:crypto";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Bed, canConvert, has, isRoot, run } from "./bed.ts";
import { layoutAnswer, startServer } from "./fake-registry.ts";
import { writeLayout } from "./oci-layout.ts";
import { buildTar } from "./tar-builder.ts";

describe.skipIf(!canConvert || !isRoot || !has("mkfs.ext4"))(
  "on a disk that is nearly full",
  () => {
    test("a pull that finds no room says so wherever it happens, and works once there is some", async () => {
      await using bed = new Bed();
      const disk = bed.path("disk.ext4");
      execFileSync("truncate", ["-s", "96M", disk]);
      run("mkfs.ext4", "-q", "-m", "0", disk);
      mkdirSync(bed.rootDir);
      run("mount", "-o", "loop", disk, bed.rootDir);
      bed.defer(() => void spawnSync("umount", [bed.rootDir]));
      const tar = buildTar([
        { name: "./", type: "5" },
        { name: "noise", content: randomBytes(12_000_000) },
      ]);
      writeLayout(bed.path("layout"), [{ layers: [{ tar }] }]);
      const { host } = await startServer(bed, layoutAnswer(bed.path("layout")));
      const filler = `${bed.rootDir}/filler`;
      let failures = 0;
      for (const leftBytes of [200_000, 5_000_000, 14_000_000, 26_000_000, 38_000_000]) {
        rmSync(filler, { force: true });
        const { bavail, bsize } = statfsSync(bed.rootDir);
        execFileSync("fallocate", ["-l", String(Math.max(bavail * bsize - leftBytes, 1)), filler]);
        await using images = bed.open();
        const error: unknown = await images
          .pull(`${host}/acme/web`, { name: `try-${leftBytes}` })
          .then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
        if (error !== undefined) {
          failures += 1;
          expect(error, `${leftBytes} bytes left`).toMatchObject({ code: "DISK_FULL" });
          expect(images.list()).toEqual([]);
        }
        if (readdirSync(bed.rootDir).includes("images"))
          expect(readdirSync(bed.path("root/images/work"))).toEqual([]);
      }
      expect(failures).toBeGreaterThanOrEqual(3);
      rmSync(filler);
      await using images = bed.open();
      await images.pull(`${host}/acme/web`);
      await images.collectGarbage();
      expect(readdirSync(bed.path("root/images/downloads"))).toEqual([]);
    }, 120_000);
  },
);
