import assert from "node:assert/strict";
import type { DeviceKind } from "../devices/device-kind.ts";
import type { AttachOptions, DeviceView, Engine, Vm } from "../engine/types.ts";
import { isSilkError } from "../errors.ts";
import type { DeviceData } from "../vm/record.ts";
import type { ConformanceCase, ConformanceSetup, ConformanceTest } from "./cases.ts";

/** A device that the backend can add to a VM that runs: made by {@link conformanceDevice}. */
export interface ConformanceDevice {
  /** What one of its kind is called in messages. */
  readonly noun: string;
  attach(engine: Engine, ref: string, options?: AttachOptions): Promise<DeviceView>;
  detach(engine: Engine, ref: string, device: string): Promise<unknown>;
  list(engine: Engine, ref: string): Promise<readonly DeviceView[]>;
}

/**
 * Pairs a kind of device with one of it.
 * @param request called for each attachment, and asks for the same device each time; what it makes lies outside of the engine's directories
 */
export function conformanceDevice<R, D extends DeviceData>(
  kind: DeviceKind<R, D>,
  request: (engine: Engine) => Promise<R> | R,
): ConformanceDevice {
  return {
    noun: kind.noun,
    attach: async (engine, ref, options) =>
      engine.devices.attach(ref, kind, await request(engine), options),
    detach: (engine, ref, device) => engine.devices.detach(ref, kind, device),
    list: (engine, ref) => engine.devices.list(ref, kind),
  };
}

/** What a backend must do that adds devices to VMs while they run. */
export function deviceCases(
  setup: ConformanceSetup,
  test: ConformanceTest,
): readonly ConformanceCase[] {
  return (setup.devices ?? []).flatMap((device) => casesOf(device, setup, test));
}

function casesOf(
  device: ConformanceDevice,
  { host, memory, spec }: ConformanceSetup,
  test: ConformanceTest,
): readonly ConformanceCase[] {
  const { noun } = device;
  const running = async (engine: Engine): Promise<Vm> => {
    const vm = await engine.create(spec());
    await vm.start();
    return vm;
  };
  const states = async (engine: Engine, { id }: Vm): Promise<readonly string[]> =>
    (await device.list(engine, id)).map(({ state }) => state);
  const inVmm = async (vm: Vm, id: string): Promise<boolean> =>
    (await vm.inspect()).observed.devices?.some((found) => found.id === id) === true;
  const rejects = (call: Promise<unknown>, code: string): Promise<void> =>
    assert.rejects(call, (error) => {
      assert.ok(isSilkError(error), String(error));
      assert.equal(error.code, code);
      return true;
    });

  const cases = [
    test(`${noun} is added to a VM that runs and taken away again, as often as wanted`, async (engine) => {
      const vm = await running(engine);
      for (const _ of [1, 2]) {
        const { id, state } = await device.attach(engine, vm.id);
        assert.equal(state, "attached");
        const listed = await device.list(engine, vm.id);
        assert.deepEqual(
          listed.map((one) => [one.id, one.state, one.keep]),
          [[id, "attached", false]],
        );
        assert.ok(await inVmm(vm, id), "the VMM has it");
        assert.equal((await vm.inspect()).observed.vmm, "running");
        await device.detach(engine, vm.id, id);
        assert.deepEqual(await device.list(engine, vm.id), []);
        assert.ok(!(await inVmm(vm, id)), "the VMM has it no more");
      }
      await rejects(device.detach(engine, vm.id, "nothing"), "DEVICE_NOT_FOUND");
    }),

    test(`${noun} that a VM has already is refused, and stays`, async (engine) => {
      const vm = await running(engine);
      const { id } = await device.attach(engine, vm.id);
      const isConflict = (error: unknown): boolean =>
        isSilkError(error) && error.kind === "conflict";
      await assert.rejects(device.attach(engine, vm.id), isConflict);
      assert.deepEqual(await states(engine, vm), ["attached"]);
      assert.ok(await inVmm(vm, id), "the VMM has it");
    }),

    test(`${noun} is refused by a VM that does not run`, async (engine) => {
      const vm = await engine.create(spec());
      await rejects(device.attach(engine, vm.id), "VM_NOT_RUNNING");
      assert.deepEqual(await device.list(engine, vm.id), []);
    }),

    test(`${noun} goes with the VM, and is free for the next one, also where the VMM was killed`, async (engine) => {
      const vm = await running(engine);
      await device.attach(engine, vm.id);
      await vm.stop({ force: true });
      assert.deepEqual(await device.list(engine, vm.id), []);
      await vm.start();
      await device.attach(engine, vm.id);
      const { runtime } = await vm.inspect();
      assert.ok(runtime);
      await host.processes.signal(runtime.vmm, "SIGKILL");
      await host.processes.waitForExit(runtime.vmm, { timeoutMs: 5_000 });
      assert.deepEqual(await device.list(engine, vm.id), []);
      const other = await running(engine);
      await device.attach(engine, other.id);
      await vm.start();
      assert.deepEqual(await states(engine, vm), []);
    }),

    test(`${noun} that is to be kept comes back at each start, until it is detached`, async (engine) => {
      const vm = await running(engine);
      const { id } = await device.attach(engine, vm.id, { keep: true });
      await vm.stop({ force: true });
      assert.deepEqual(await states(engine, vm), ["detached"]);
      await vm.start();
      assert.deepEqual(await states(engine, vm), ["attached"]);
      assert.ok(await inVmm(vm, id), "the VMM has it");
      await vm.stop({ force: true });
      await device.detach(engine, vm.id, id);
      await vm.start();
      assert.deepEqual(await states(engine, vm), []);
    }),
  ];
  if (memory !== undefined)
    cases.push(
      test(`a VM with ${noun.replace(/^the /, "a ")} is not saved before it is detached`, async (engine) => {
        const vm = await running(engine);
        const { id } = await device.attach(engine, vm.id);
        await rejects(vm.save(), "SNAPSHOT_UNSUPPORTED");
        assert.deepEqual(await states(engine, vm), ["attached"]);
        await device.detach(engine, vm.id, id);
        await vm.save();
      }),
    );
  return cases;
}
