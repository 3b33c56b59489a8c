import assert from "node:assert/strict";
import { launchCommand } from "../hypervisor.ts";
import { isSilkError } from "../errors.ts";
import type { Engine } from "../engine/types.ts";
import type { Host } from "../host.ts";
import type { VmSpec } from "../vm/spec.ts";
import { type ConformanceDevice, deviceCases } from "./device-cases.ts";
import { nicCases } from "./nic-cases.ts";
import { snapshotCases } from "./snapshot-cases.ts";
import { expectConsoleEcho } from "./console-echo.ts";

/** What a backend's author gives to have the backend judged. */
export interface ConformanceSetup {
  /** An engine over fresh, empty directories, with the backend as its default. Closed by the suite. */
  readonly engine: () => Promise<Engine>;
  /** The machine that the engine works on. */
  readonly host: Host;
  /** The smallest VM that the backend can start, with a COW disk. Called for each VM. */
  readonly spec: () => VmSpec;
  /** A line that the guest answers on its console, and the answer. Left out where the guest has no console that answers. */
  readonly consoleEcho?: { readonly send: string; readonly expect: string } | undefined;
  /** How the guest is made to remember something in its memory alone, and asked for it. Left out for a backend that saves no VMs. */
  readonly memory?:
    | {
        readonly remember: { readonly send: string; readonly expect: string };
        readonly recall: { readonly send: string; readonly expect: string };
      }
    | undefined;
  /** Devices that can be added to a VM of that spec while it runs. Left out for a backend that adds none. */
  readonly devices?: readonly ConformanceDevice[] | undefined;
  /** What of a spec names a network of the engine's plugins, in which VMs can have NICs. Left out where there is none; its guest must let go of NICs. */
  readonly network?: Pick<VmSpec, "bridge" | "network"> | undefined;
  /** Whether the guest shuts down when it is asked to. */
  readonly guestStopsWhenAsked: boolean;
}

/** One thing that a backend must do. Runs under any test runner. */
export interface ConformanceCase {
  /** A sentence. */
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** Makes a case of something that is tried on an engine, which is left empty. */
export type ConformanceTest = (
  name: string,
  body: (engine: Engine) => Promise<void>,
) => ConformanceCase;

/**
 * What a backend must do to be called a backend of silk.
 * @example
 * describe("conformance", () => {
 *   for (const { name, run } of conformanceCases(setup)) it(name, run);
 * });
 */
export function conformanceCases(setup: ConformanceSetup): readonly ConformanceCase[] {
  const test: ConformanceTest = (name, body) => ({
    name,
    run: async () => {
      const engine = await setup.engine();
      try {
        await body(engine);
      } finally {
        const saved = await engine.snapshots.list();
        const left = await engine.list({ all: true });
        const { failed } = await engine.delete(
          left.map(({ id }) => id),
          { force: true },
        );
        const kept = await engine.snapshots.delete(saved.map(({ id }) => id));
        await engine[Symbol.asyncDispose]();
        assert.deepEqual(failed, [], "every VM can be removed by force");
        // The snapshot of a VM that hibernated goes with it.
        const notGone = kept.failed.filter(({ error }) => error.code !== "SNAPSHOT_NOT_FOUND");
        assert.deepEqual(notGone, [], "every snapshot can be removed");
      }
    },
  });
  const { host } = setup;

  const cases: ConformanceCase[] = [
    test("create makes a VM that does not run yet, with its disks in its own directory", async (engine) => {
      const vm = await engine.create(setup.spec());
      const view = await vm.inspect();
      assert.equal(view.state, "created");
      assert.equal(view.observed.vmm, "absent");
      assert.ok(view.disks.length > 0);
      for (const disk of view.disks)
        assert.ok(await host.files.stat(disk.path), `the disk ${disk.path} is there`);
      assert.equal((await host.files.stat(view.paths.dataDir))?.mode, 0o700);
    }),

    test("create refuses what cannot be, and leaves nothing behind", async (engine) => {
      const refused = engine.create({
        ...setup.spec(),
        disks: [{ path: "/nonexistent/disk.raw" }],
      });
      await assert.rejects(refused, (error) => isSilkError(error) && error.kind === "not-found");
      assert.deepEqual(await engine.list({ all: true }), []);
      assert.deepEqual(await host.files.list(`${engine.config.rootDir}/vms`), []);
    }),

    test("a name or an id that is taken is refused as a conflict", async (engine) => {
      const vm = await engine.create({ ...setup.spec(), name: "first" });
      const isConflict = (error: unknown): boolean =>
        isSilkError(error) && error.code === "VM_EXISTS";
      await assert.rejects(engine.create({ ...setup.spec(), name: "first" }), isConflict);
      await assert.rejects(engine.create({ ...setup.spec(), id: vm.id }), isConflict);
      await assert.rejects(engine.create({ ...setup.spec(), name: vm.id }), isConflict);
    }),

    test("start runs the VM, and starting it again changes nothing", async (engine) => {
      const vm = await engine.create(setup.spec());
      await vm.start();
      const view = await vm.inspect();
      assert.equal(view.state, "running");
      assert.equal(view.observed.vmm, "running");
      assert.ok(view.runtime);
      assert.ok(host.processes.isAlive(view.runtime.vmm));
      assert.equal(view.firstBooted, true);
      await vm.start();
      assert.deepEqual((await vm.inspect()).runtime, view.runtime);
      const [listed] = await engine.list();
      assert.equal(listed?.state, "running");
      assert.equal(listed?.pid, view.runtime.vmm.pid);
    }),

    test("many starts of one VM at once end in one VMM", async (engine) => {
      const vm = await engine.create(setup.spec());
      await Promise.all([vm.start(), vm.start(), vm.start(), vm.start()]);
      const { runtime } = await vm.inspect();
      assert.ok(runtime);
      const started = await eventTypes(engine, "vm.started");
      assert.equal(started, 1);
    }),

    test("stop by force ends the VMM and leaves no socket", async (engine) => {
      const vm = await engine.create(setup.spec());
      await vm.start();
      const running = await vm.inspect();
      await vm.stop({ force: true });
      await expectStopped(host, vm, running);
      await vm.stop({ force: true });
    }),

    test("a stopped VM starts again with the disks it had", async (engine) => {
      const vm = await engine.create(setup.spec());
      await vm.start();
      const first = await vm.inspect();
      await vm.stop({ force: true });
      await vm.start();
      const second = await vm.inspect();
      assert.equal(second.state, "running");
      assert.deepEqual(second.disks, first.disks);
      assert.notDeepEqual(second.runtime, first.runtime);
    }),

    test("a VMM that was killed is seen by inspect, list and events, and the VM starts again", async (engine) => {
      const vm = await engine.create(setup.spec());
      await vm.start();
      const { runtime } = await vm.inspect();
      assert.ok(runtime);
      await host.processes.signal(runtime.vmm, "SIGKILL");
      await host.processes.waitForExit(runtime.vmm, { timeoutMs: 5_000 });
      assert.equal((await vm.inspect()).state, "error");
      const [listed] = await engine.list();
      assert.equal(listed?.state, "error");
      assert.equal(listed?.problem?.code, "VMM_DIED");
      assert.equal(await eventTypes(engine, "vm.exited"), 1);
      await vm.start();
      assert.equal((await vm.inspect()).state, "running");
      assert.equal(await eventTypes(engine, "vm.exited"), 1);
    }),

    test("a running VM is only removed by force, and nothing of it is left", async (engine) => {
      const vm = await engine.create(setup.spec());
      await vm.start();
      const view = await vm.inspect();
      assert.ok(view.runtime);
      await assert.rejects(
        vm.delete(),
        (error) => isSilkError(error) && error.code === "VM_RUNNING",
      );
      assert.equal((await vm.inspect()).state, "running");
      await vm.delete({ force: true });
      assert.equal(host.processes.isAlive(view.runtime.vmm), false);
      for (const path of [view.paths.dataDir, view.paths.runDir, view.paths.logPath]) {
        assert.equal(await host.files.stat(path), undefined, `${path} is gone`);
      }
      await assert.rejects(
        vm.inspect(),
        (error) => isSilkError(error) && error.code === "VM_NOT_FOUND",
      );
    }),

    test("an aborted start leaves nothing that runs, and the VM as it was", async (engine) => {
      const vm = await engine.create(setup.spec());
      const abort = new AbortController();
      const starting = vm.start({ signal: abort.signal, onProgress: () => abort.abort() });
      setImmediate(() => abort.abort());
      await assert.rejects(starting, (error) => isSilkError(error) && error.kind === "aborted");
      const view = await vm.inspect();
      assert.equal(view.state, "created");
      assert.equal(view.observed.vmm, "absent");
      const ours = await host.processes.find((argv) =>
        argv.some((argument) => argument.includes(view.paths.runDir)),
      );
      assert.deepEqual(ours, []);
      await vm.start();
    }),

    test("several VMs are started and stopped at once, and one failure does not stop the others", async (engine) => {
      const vms = await Promise.all([1, 2, 3].map(() => engine.create(setup.spec())));
      const ids = vms.map(({ id }) => id);
      const started = await engine.start([...ids, "nobody"]);
      assert.deepEqual(started.done, ids);
      assert.deepEqual(
        started.failed.map(({ ref, error }) => [ref, error.code]),
        [["nobody", "VM_NOT_FOUND"]],
      );
      const stopped = await engine.stop(ids, { force: true });
      assert.deepEqual(stopped, { done: ids, failed: [] });
    }),

    test("the console of a VM that does not run is refused", async (engine) => {
      const vm = await engine.create(setup.spec());
      await assert.rejects(
        vm.console(),
        (error) => isSilkError(error) && error.code === "VM_NOT_RUNNING",
      );
    }),

    test("the command line of the VMM is shown without anything being made, where the backend can", async (engine) => {
      const backend = await engine.backend();
      if (backend.capability(launchCommand) === undefined) {
        await assert.rejects(
          engine.launchCommand(setup.spec()),
          (error) => isSilkError(error) && error.code === "CAPABILITY_MISSING",
        );
        return;
      }
      const argv = await engine.launchCommand(setup.spec());
      assert.ok(argv.length > 1);
      const commands = await engine.launchCommands({ ...setup.spec(), id: "shown" });
      assert.deepEqual(
        commands.at(-1),
        await engine.launchCommand({ ...setup.spec(), id: "shown" }),
      );
      assert.deepEqual(await engine.list({ all: true }), []);
    }),
  ];

  cases.push(...snapshotCases(setup, test), ...deviceCases(setup, test), ...nicCases(setup, test));
  const { consoleEcho } = setup;
  if (consoleEcho !== undefined) {
    cases.push(
      test("what is written to the console reaches the guest, and its answer comes back", async (engine) => {
        const vm = await engine.create(setup.spec());
        await vm.start();
        await expectConsoleEcho(vm, consoleEcho);
        await expectConsoleEcho(vm, consoleEcho);
      }),
    );
  }
  if (setup.guestStopsWhenAsked) {
    cases.push(
      test("stop without force ends the VM in order", async (engine) => {
        const vm = await engine.create(setup.spec());
        await vm.start();
        const running = await vm.inspect();
        await vm.stop();
        await expectStopped(host, vm, running);
      }),
    );
  }
  return cases;
}

async function eventTypes(engine: Engine, type: string): Promise<number> {
  const events = await Array.fromAsync(engine.events());
  return events.filter((event) => event.type === type).length;
}

async function expectStopped(
  host: Host,
  vm: Awaited<ReturnType<Engine["create"]>>,
  running: Awaited<ReturnType<typeof vm.inspect>>,
): Promise<void> {
  const view = await vm.inspect();
  assert.equal(view.state, "stopped");
  assert.equal(view.runtime, undefined);
  assert.ok(running.runtime);
  assert.equal(host.processes.isAlive(running.runtime.vmm), false);
  assert.deepEqual(await host.files.list(view.paths.runDir), []);
}
