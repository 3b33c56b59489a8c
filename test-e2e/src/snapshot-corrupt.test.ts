import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isSilkError, manifestName } from "@silkvm/core";
import { describe, expect, it } from "vitest";
import { copySnapshot, damages } from "./snapshot-damage.ts";
import { expectAlive, filesBelow, onScene, processesIn, whoRuns } from "./snapshot-scene.ts";
import { mainSnapshotTargets, type SnapshotTarget } from "./snapshot-targets.ts";

describe.each(mainSnapshotTargets)("on $name", (target) => {
  describe.skipIf(target.missing !== undefined)("a snapshot", () => {
    it.each(Object.keys(damages))(
      "of which any file %s is refused: the VM runs on, and no clone is made",
      async (damage) => {
        await refusesEach(target, damages[damage]!);
      },
      60_000,
    );

    it("with a file too many is refused", async () => {
      await refusesEach(target, ({ path }) => cpSync(path, `${path}-2`));
    }, 60_000);
  });
});

async function refusesEach(
  target: SnapshotTarget,
  damage: (typeof damages)[string],
): Promise<void> {
  await onScene(target, async ({ engine, sandbox, guest, boot }) => {
    const vm = await boot("subject");
    await guest.remember(vm, "untouched");
    const { id } = await vm.save();
    const other = await boot("other", { cpus: 1 });
    await guest.remember(other, "another");
    await guest.writeDisk(other, 3, "another");
    const { directory: others } = await engine.snapshots.inspect((await other.save()).id);
    await other.delete({ force: true });
    const { directory, manifest } = await engine.snapshots.inspect(id);
    const whole = join(sandbox.dir, "whole");
    const copy = join(sandbox.dir, "copy");
    copySnapshot(directory, whole);
    const untouched = await whoRuns(vm);
    const processes = await processesIn(sandbox);
    const data = await filesBelow(join(sandbox.config.rootDir, "vms"));

    for (const { name } of [...manifest.files, { name: manifestName }]) {
      // Both the engine's own directory and one of the user's.
      for (const [place, from] of [
        [directory, { snapshot: id }],
        [copy, { directory: copy }],
      ] as const) {
        copySnapshot(whole, place);
        damage({
          path: join(place, name),
          whole: join(whole, name),
          others: join(others, name),
        });
        const attempts = {
          restore: () => vm.restore(from, { timeoutMs: 20_000 }),
          clone: () => engine.clone(from, { name: "clone", timeoutMs: 20_000 }),
        };
        for (const [verb, attempt] of Object.entries(attempts)) {
          const what = `${verb} with ${name} of ${place === copy ? "a directory" : "a snapshot"}`;
          const outcome = await attempt().catch((error: unknown) => error);
          expect(isSilkError(outcome), `${what}: it is not refused`).toBe(true);
          expect(outcome, what).toMatchObject({
            code: expect.stringMatching(/^SNAPSHOT_|^INVALID_MANIFEST$/),
          });
          expect(await whoRuns(vm), what).toEqual(untouched);
          expect(await engine.list({ all: true }), what).toHaveLength(1);
        }
      }
    }
    expect(await processesIn(sandbox)).toEqual(processes);
    expect(await filesBelow(join(sandbox.config.rootDir, "vms"))).toEqual(data);
    expect(await guest.recall(vm)).toBe("untouched");
    await expectAlive(guest, vm);

    copySnapshot(whole, directory);
    await vm.restore({ snapshot: id });
    expect(await guest.recall(vm)).toBe("untouched");
    rmSync(copy, { recursive: true });
  });
}
