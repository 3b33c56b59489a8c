import { join } from "node:path";
import { parseJson, stringifyJson } from "@silkvm/ch-client";
import type { Host, Vm } from "@silkvm/core";
import { exportSnapshotTo } from "@silkvm/storage";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { copySnapshot, editJson, reseal } from "./snapshot-damage.ts";
import { expectAlive, onScene, type Scene, whoRuns } from "./snapshot-scene.ts";
import { snapshotTargets } from "./snapshot-targets.ts";

const mismatch = { code: "SNAPSHOT_CPU_MISMATCH", kind: "unsupported" };

/** The same machine with another idea of what its CPU can give to guests. */
function hostWith(guestCpuid: Host["facts"]["guestCpuid"]): Host {
  const host = linuxHost();
  return { ...host, facts: { ...host.facts, guestCpuid } };
}

/** A snapshot of a VM that runs, in a directory, changed to be of a CPU that has every feature there is. */
async function ofAnotherCpu({ engine, sandbox }: Scene, vm: Vm): Promise<string> {
  await vm.save({ name: "good" });
  const good = join(sandbox.dir, "good");
  await exportSnapshotTo(engine, "good", good);
  const directory = join(sandbox.dir, "foreign");
  copySnapshot(good, directory);
  editJson(join(directory, "state.json"), (state) => {
    const data = state["snapshot_data"] as { readonly state: string };
    const part = parseJson(data.state, { exact: true }) as {
      readonly common_cpuid: readonly { readonly function: number; readonly index: number }[];
    };
    const kept = part.common_cpuid.filter((leaf) => leaf.function !== 7 || leaf.index !== 0);
    const all = 2 ** 32 - 1;
    const leaf = { function: 7, index: 0, flags: 1, eax: 0, ebx: all, ecx: all, edx: all };
    const common_cpuid = [...kept, leaf];
    return {
      ...state,
      snapshot_data: { ...data, state: stringifyJson({ ...part, common_cpuid }) },
    };
  });
  await reseal(directory);
  return directory;
}

describe.each(snapshotTargets)("on $name", (target) => {
  describe.skipIf(target.missing !== undefined)("a snapshot of another CPU", () => {
    it("is refused before anything is touched: its VM runs on, and no clone is made", async () => {
      await onScene(target, async (scene) => {
        const { sandbox, guest, boot } = scene;
        const { id } = await boot("web");
        // This host's CPU can do next to nothing.
        await using engine = await sandbox.engine(hostWith([]));
        const vm = await engine.get(id);
        const directory = await ofAnotherCpu(scene, vm);
        const untouched = await whoRuns(vm);
        for (const from of [{ directory }, { snapshot: "good" }]) {
          await expect(vm.restore(from)).rejects.toMatchObject(mismatch);
          await expect(engine.clone(from, { name: "clone" })).rejects.toMatchObject(mismatch);
        }
        expect(await whoRuns(vm)).toEqual(untouched);
        await expectAlive(guest, vm);
        expect(await engine.list({ all: true })).toHaveLength(1);
      });
    });

    it("is refused by the VMM where nobody else can tell, in the same words", async () => {
      await onScene(target, async (scene) => {
        const { sandbox, guest, boot } = scene;
        const { id } = await boot("web");
        await using engine = await sandbox.engine(hostWith(undefined));
        const vm = await engine.get(id);
        await guest.remember(vm, "kept");
        const directory = await ofAnotherCpu(scene, vm);
        const warnings: string[] = [];
        const onWarning = (text: string): void => void warnings.push(text);
        for (const restoreMode of ["auto", "cow", "copy", "ondemand"] as const)
          await expect(
            engine.clone({ directory }, { name: "clone", restoreMode, onWarning }),
          ).rejects.toMatchObject(mismatch);
        expect(warnings).toEqual([]);
        expect(await engine.list({ all: true })).toHaveLength(1);
        // Too late for a VM, which can be restored from a good one.
        await expect(vm.restore({ directory })).rejects.toMatchObject(mismatch);
        expect((await vm.inspect()).state).toBe("error");
        await vm.restore({ snapshot: "good" });
        expect(await guest.recall(vm)).toBe("kept");
      });
    });
  });
});
