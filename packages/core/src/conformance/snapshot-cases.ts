import assert from "node:assert/strict";
import type { Engine, Vm } from "../engine/types.ts";
import { isSilkError } from "../errors.ts";
import type { ConformanceCase, ConformanceSetup, ConformanceTest } from "./cases.ts";
import { expectConsoleEcho } from "./console-echo.ts";

/** What a backend must do that saves VMs and brings them back; and how one refuses that does not. */
export function snapshotCases(
  { host, memory, spec }: ConformanceSetup,
  test: ConformanceTest,
): readonly ConformanceCase[] {
  const running = async (engine: Engine, name: string): Promise<Vm> => {
    const vm = await engine.create({ ...spec(), name });
    await vm.start();
    return vm;
  };
  const rejects = (call: Promise<unknown>, code: string): Promise<void> =>
    assert.rejects(call, (error) => {
      assert.ok(isSilkError(error), String(error));
      assert.equal(error.code, code);
      return true;
    });

  if (memory === undefined)
    return [
      test("a backend that saves no VMs says so, and the VM runs on", async (engine) => {
        const vm = await running(engine, "unsaved");
        await rejects(vm.save(), "SNAPSHOT_UNSUPPORTED");
        assert.equal((await vm.inspect()).observed.vmm, "running");
        assert.deepEqual(await engine.snapshots.list(), []);
      }),
    ];

  const { remember, recall } = memory;
  const remembering = async (engine: Engine, name: string): Promise<Vm> => {
    const vm = await running(engine, name);
    await expectConsoleEcho(vm, remember);
    return vm;
  };

  return [
    test("a VM that does not run cannot be saved", async (engine) => {
      const vm = await engine.create({ ...spec(), name: "still" });
      await rejects(vm.save(), "VM_NOT_RUNNING");
      await rejects(vm.hibernate(), "VM_NOT_RUNNING");
      assert.deepEqual(await host.files.list(`${engine.config.rootDir}/snapshots`), []);
    }),

    test("a saved VM runs on, and its snapshot is listed with what it is of", async (engine) => {
      const vm = await running(engine, "saved");
      const before = (await vm.inspect()).runtime;
      const snapshot = await vm.save({ description: "first" });
      const view = await vm.inspect();
      assert.equal(view.observed.vmm, "running");
      assert.deepEqual(view.runtime, before);
      assert.ok(snapshot.timings.pauseMs > 0);
      const [listed, ...others] = await engine.snapshots.list({ vm: "saved" });
      assert.equal(others.length, 0);
      assert.equal(listed?.id, snapshot.id);
      assert.deepEqual([listed.name, listed.vmId, listed.description], ["saved-1", vm.id, "first"]);
      assert.ok(listed.sizeBytes > 0);
      await rejects(vm.save({ name: "saved-1" }), "SNAPSHOT_EXISTS");
      assert.equal((await vm.inspect()).observed.vmm, "running");
    }),

    test("clones go on where the snapshot was taken, beside each other and their source", async (engine) => {
      const source = await remembering(engine, "source");
      const { id } = await source.save();
      const clones = await Promise.all(
        [1, 2, 3].map((number) => engine.clone({ snapshot: id }, { name: `clone-${number}` })),
      );
      for (const { vm, memory: restored } of clones) {
        assert.equal(restored.snapshotId, id);
        assert.equal(restored.requested, "auto");
        await expectConsoleEcho(vm, recall);
      }
      await expectConsoleEcho(source, recall);
      const views = await Promise.all(clones.map(({ vm }) => vm.inspect()));
      const paths = views.flatMap(({ disks }) => disks.filter(({ readonly }) => !readonly));
      assert.equal(new Set(paths.map(({ path }) => path)).size, paths.length);
      assert.equal((await engine.snapshots.inspect(id)).usedBy.length, 3);
      await rejects(engine.clone({ snapshot: id }, { name: "source" }), "VM_EXISTS");
    }),

    test("a clone of a clone is one like the first, also when all before it are gone", async (engine) => {
      const first = await remembering(engine, "first");
      const one = await first.save();
      const { vm: second } = await engine.clone({ snapshot: one.id }, { name: "second" });
      const two = await second.save();
      await first.delete({ force: true });
      await second.delete({ force: true });
      await engine.snapshots.delete([one.id]);
      const { vm: third } = await engine.clone({ snapshot: two.id }, { name: "third" });
      await engine.snapshots.delete([two.id]);
      await expectConsoleEcho(third, recall);
      const view = await third.inspect();
      assert.equal(view.observed.vmm, "running");
      // It is a VM like any other: it can be stopped, and started from its disks.
      await third.stop({ force: true });
      await third.start();
      assert.equal((await third.inspect()).state, "running");
    }),

    test("restore takes a VM back, running or not", async (engine) => {
      const vm = await remembering(engine, "back");
      const { id } = await vm.save();
      const before = await vm.inspect();
      await vm.restore({ snapshot: id });
      await expectConsoleEcho(vm, recall);
      const after = await vm.inspect();
      assert.notDeepEqual(after.runtime?.vmm, before.runtime?.vmm);
      assert.deepEqual(after.disks, before.disks);
      await vm.stop({ force: true });
      await vm.restore({ snapshot: id });
      await expectConsoleEcho(vm, recall);
    }),

    test("restore refuses the snapshot of another VM, and leaves the VM as it was", async (engine) => {
      const vm = await remembering(engine, "mine");
      const other = await running(engine, "other");
      const { id } = await other.save();
      const before = (await vm.inspect()).runtime;
      await rejects(vm.restore({ snapshot: id }), "SNAPSHOT_FOREIGN");
      await rejects(vm.restore({ snapshot: "nothing" }), "SNAPSHOT_NOT_FOUND");
      assert.deepEqual((await vm.inspect()).runtime, before);
      await expectConsoleEcho(vm, recall);
    }),

    test("a VM that hibernates does not run, and goes on where it was when it is woken", async (engine) => {
      const vm = await remembering(engine, "sleeper");
      const { runtime } = await vm.inspect();
      assert.ok(runtime);
      const saved = await vm.hibernate();
      assert.equal(host.processes.isAlive(runtime.vmm), false);
      const asleep = await vm.inspect();
      assert.equal(asleep.state, "stopped");
      assert.equal(asleep.hibernatedIn, saved.id);
      await rejects(vm.start(), "VM_HIBERNATES");
      const { failed } = await engine.snapshots.delete([saved.id]);
      assert.equal(failed[0]?.error.code, "SNAPSHOT_IN_USE");
      await vm.wake();
      await expectConsoleEcho(vm, recall);
      assert.deepEqual(await engine.snapshots.list(), []);
      await rejects(vm.wake(), "VM_NOT_HIBERNATED");
    }),

    test("an aborted save leaves no snapshot, and the VM running", async (engine) => {
      const vm = await running(engine, "aborted");
      const abort = new AbortController();
      const saving = vm.save({ signal: abort.signal, onProgress: () => abort.abort() });
      setImmediate(() => abort.abort());
      await assert.rejects(saving, (error) => isSilkError(error) && error.kind === "aborted");
      assert.deepEqual(await engine.snapshots.list(), []);
      assert.deepEqual(await host.files.list(`${engine.config.rootDir}/snapshots`), []);
      assert.equal((await vm.inspect()).observed.vmm, "running");
      await vm.save();
    }),
  ];
}
