import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Engine, isSilkError } from "@silkvm/core";
import { exportSnapshot, exportSnapshotTo, importSnapshot } from "@silkvm/storage";
import { describe, expect, it } from "vitest";
import { makeSandbox } from "./sandbox.ts";
import { expectNothingLeft, filesBelow, whoRuns } from "./snapshot-scene.ts";
import { canMakeDisk, mountSmallDisk } from "./snapshot-small-disk.ts";
import { mainSnapshotTargets, type SnapshotTarget } from "./snapshot-targets.ts";

const mib = 1024 ** 2;

/** What needs room, and how what it has made is taken away again. */
interface Case {
  /** How much may be left, in MiB: from none to nearly enough. */
  readonly levels: readonly number[];
  /** Whether it needs room of its own on every file system. */
  readonly mustFail: boolean;
  readonly run: (engine: Engine, dir: string) => Promise<unknown>;
  readonly undo: (engine: Engine, dir: string) => Promise<unknown>;
}

const cases: Readonly<Record<string, Case>> = {
  save: {
    mustFail: true,
    levels: [0, 1, 30, 63, 66, 90],
    run: (engine) => engine.snapshots.save("full", { name: "second" }),
    undo: (engine) => engine.snapshots.delete(["second"]),
  },
  hibernate: {
    mustFail: true,
    levels: [0, 30, 66],
    run: (engine) => engine.hibernate("full"),
    undo: (engine) => engine.wake("full"),
  },
  clone: {
    mustFail: false,
    levels: [0, 1, 8],
    run: (engine) => engine.clone({ snapshot: "first" }, { name: "clone" }),
    undo: (engine) => engine.delete(["clone"], { force: true }),
  },
  restore: {
    mustFail: false,
    levels: [0, 1, 8],
    run: (engine) => engine.restore("full", { snapshot: "first" }),
    undo: async () => {},
  },
  "export to a directory": {
    mustFail: false,
    levels: [0, 1, 8],
    run: (engine, dir) => exportSnapshotTo(engine, "first", join(dir, "root/export")),
    undo: (_engine, dir) => rm(join(dir, "root/export"), { recursive: true }),
  },
  import: {
    mustFail: false,
    levels: [0, 1, 8],
    run: (engine, dir) =>
      importSnapshot(engine, createReadStream(join(dir, "first.tar")), { name: "imported" }),
    undo: (engine) => engine.snapshots.delete(["imported"]),
  },
};

describe.each(["ext4", "xfs"] as const)("on a full %s", (type) => {
  describe.skipIf(!canMakeDisk(type)).each(mainSnapshotTargets)("on $name", (target) => {
    it.skipIf(target.missing !== undefined).each(Object.keys(cases))(
      "%s tells that the disk is full, leaves the VM running and nothing half-made, and succeeds when there is room",
      async (verb) => {
        await fillAround(target, type, cases[verb]!);
      },
      120_000,
    );
  });
});

async function fillAround(
  target: SnapshotTarget,
  type: "ext4" | "xfs",
  { levels, mustFail, run, undo }: Case,
): Promise<void> {
  const { guest } = target;
  await using sandbox = await makeSandbox(await target.vmm());
  const { rootDir } = sandbox.config;
  using disk = mountSmallDisk(type, rootDir);
  await using engine = await sandbox.engine();
  const vm = await engine.create({ ...(await target.spec()), name: "full" });
  await vm.start();
  await guest.remember(vm, "kept");
  await guest.fill(vm, 2);
  await guest.writeDisk(vm, 3, "kept");
  await vm.save({ name: "first" });
  await pipeline(
    await exportSnapshot(engine, "first"),
    createWriteStream(join(sandbox.dir, "first.tar")),
  );

  let failures = 0;
  for (const level of levels) {
    const place = `with ${level} MiB free`;
    const untouched = await whoRuns(vm);
    const before = await filesBelow(rootDir);
    disk.leaveFree(level * mib);
    const outcome = await run(engine, sandbox.dir).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (outcome === undefined) {
      disk.release();
    } else {
      failures++;
      expect(isSilkError(outcome) && outcome.code, `${place}: ${(outcome as Error).message}`).toBe(
        "DISK_FULL",
      );
      expect(await whoRuns(vm), place).toEqual(untouched);
      const counted = await guest.count(vm);
      await expect.poll(() => guest.count(vm), { message: place }).toBeGreaterThan(counted);
      expect((await engine.snapshots.list()).map(({ name }) => name)).toEqual(["first"]);
      expect((await engine.list({ all: true })).map(({ name }) => name)).toEqual(["full"]);
      disk.release();
      // Where there was no room to write down what was undone, that is done by the next command.
      await engine.gc();
      expect(await engine.gc({ dryRun: true }), place).toEqual([]);
      expect(tidy(await filesBelow(rootDir)), place).toEqual(tidy(before));
      expect(await engine.operations(), place).toEqual([]);
      await run(engine, sandbox.dir);
    }
    await undo(engine, sandbox.dir);
    expect(await guest.recall(vm), place).toBe("kept");
    expect(await guest.isFilled(vm, 2), place).toBe(true);
    expect(await guest.readDisk(vm, 3), place).toBe("kept");
  }
  // Where files share their blocks, what is only a copy needs none.
  if (type === "ext4" || mustFail) expect(failures).toBeGreaterThan(0);
  expect(existsSync(join(rootDir, "export"))).toBe(false);
  await expectNothingLeft(engine, sandbox);
}

/** Without what the store keeps for itself. */
function tidy(names: readonly string[]): readonly string[] {
  return names.filter((name) => !/^(?:silk\.db|vm\.lock|ballast)/.test(name));
}
