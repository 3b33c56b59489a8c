import type { Engine, VmSpec } from "@silkvm/core";
import { describe, expect, it } from "vitest";
import { type DeviceName, type FaultyDevice, faultyDevices, vmName } from "./fault-devices.ts";
import { runFaultless, runFaulty } from "./fault-run.ts";
import { faultsMs, faultsOf, type FaultWay, faultWays } from "./fault-sample.ts";
import { runVerb } from "./fault-verbs.ts";
import { isLong } from "./long.ts";
import { makeSandbox } from "./sandbox.ts";
import { expectNothingLeft } from "./snapshot-scene.ts";
import { qemuTarget } from "./real-qemu.ts";
import { type Target, targets } from "./targets.ts";

/** `start` and `stop` are those of a VM that is to keep the device. */
const words = ["attach", "detach", "start", "stop"] as const;
type Word = (typeof words)[number];
describe.each([...targets, qemuTarget])("on $name", (target) => {
  describe.skipIf(target.missing !== undefined).each(Object.keys(faultyDevices) as DeviceName[])(
    "a %s",
    (name) => {
      const { missing = onQemu(target, name) } = faultyDevices[name];
      describe.skipIf(missing !== undefined).each(words)("and the VM's %s", (word) => {
        it.each(faultWays)(
          "of which an effect %s: the record, the VMM and the host agree, and the same command succeeds",
          (way) => loopDevice(target, name, word, way),
          faultsMs,
        );
      });
    },
  );
});

/** The journal, the ports and the waiting are the same for all kinds of devices on it: one stands for all. */
function onQemu(target: Target, name: DeviceName): string | undefined {
  return target === qemuTarget && name !== "disk" && !isLong ? "a disk stands for it" : undefined;
}

/** What is known of a device: by the record, by the VMM, by the host. */
interface Seen {
  readonly vm: string;
  /** The state of its attachment. */
  readonly record: string | undefined;
  readonly inVmm: boolean;
  readonly onHost: boolean;
}

async function loopDevice(
  target: Target,
  name: DeviceName,
  word: Word,
  way: FaultWay,
): Promise<void> {
  const device: FaultyDevice = faultyDevices[name];
  const verb = word === "attach" || word === "detach" ? (`${word} ${name}` as const) : word;
  const hasSide = device.hostSide !== undefined;
  await using sandbox = await makeSandbox(target.chBinary(), [], target.settings);
  await using engine = await sandbox.engine();
  const spec: VmSpec = { ...(await target.spec()), memoryBytes: 2 ** 25, ...device.spec };
  await device.setUp(engine);
  await runVerb(engine, "create", spec);

  const there: Seen = { vm: "running", record: "attached", inVmm: true, onHost: hasSide };
  const gone: Seen = { vm: "running", record: undefined, inVmm: false, onHost: false };
  const waits: Seen = { vm: "stopped", record: "detached", inVmm: false, onHost: false };
  const before = { attach: gone, detach: there, start: waits, stop: there }[word];
  const after = { attach: there, detach: gone, start: there, stop: waits }[word];
  const setBack = async (place: string): Promise<void> => {
    const keep = word === "start" || word === "stop";
    if ((await look(engine, device)).vm !== "running") await runVerb(engine, "start", spec);
    const { record } = await look(engine, device);
    if (before !== gone && record !== "attached") await device.attach(engine, keep);
    if (before === gone && record !== undefined) await device.detach(engine);
    if (before === waits) await runVerb(engine, "stop", spec);
    expect(await look(engine, device), place).toEqual(before);
  };

  await setBack("before");
  const counted = await runFaultless(sandbox, verb, spec);
  expect(counted).toMatchObject({ ok: true });
  expect(await look(engine, device)).toEqual(after);
  const { effects } = counted;
  expect(effects.length).toBeGreaterThan(3);

  for (const fault of faultsOf(target, way, effects.length)) {
    const { kind, nth } = fault;
    const place = `${kind} at effect ${nth} of ${effects.length}, ${effects[nth - 1]}`;
    await setBack(place);
    const report = await runFaulty(sandbox, verb, spec, fault);
    // Effects that run side by side are not always as many: the last one may not be there this time.
    if (kind === "kill" && report !== undefined) expect(report, place).toMatchObject({ ok: true });
    if (report?.ok === false)
      expect(report.error?.kind, `${place}: ${report.error?.message}`).not.toBe("internal");
    // What is left of an operation is settled by the next command that changes anything, whatever it is.
    await engine.gc();
    expect(await engine.operations(), place).toEqual([]);
    // A stop that failed on its way may have ended the VMM. What that held is given back by whoever meets the VM next, as with one that ended by itself.
    let seen = await look(engine, device);
    if (seen.vm === "stopped") {
      await engine.stop([vmName]);
      seen = await look(engine, device);
    }
    expectAgreement(seen, hasSide, place);
    expect(await engine.gc({ dryRun: true }), place).toEqual([]);

    const again = await runFaultless(sandbox, verb, spec);
    const done = { attach: "DEVICE_EXISTS", detach: "DEVICE_NOT_FOUND", start: "", stop: "" }[word];
    if (!again.ok) expect(again.error?.code, `${place}: ${again.error?.message}`).toBe(done);
    // A VM starts without what cannot be attached, and says so: a second start has nothing to do.
    const startsWithout = word === "start" && report?.ok === true;
    const ends: Seen[] = startsWithout ? [after, { ...waits, vm: "running" }] : [after];
    expect(ends, place).toContainEqual(await look(engine, device));
  }
  await expectNothingLeft(engine, sandbox);
  expect(await device.hostSide?.(engine)).toEqual(hasSide ? [] : undefined);
}

const vmStates = {
  creating: "creating",
  created: "stopped",
  stopped: "stopped",
  error: "stopped",
  running: "running",
} as const;

async function look(engine: Engine, device: FaultyDevice): Promise<Seen> {
  const { state, attachments = [], observed } = await engine.inspect(vmName);
  const side = await device.hostSide?.(engine);
  return {
    vm: vmStates[state] === "running" && observed.vmm !== "running" ? "ending" : vmStates[state],
    record: attachments.find(({ id }) => id === device.id)?.state,
    inVmm: observed.devices?.some(({ id }) => id === device.id) === true,
    onHost: (side?.length ?? 0) > 0,
  };
}

/** Whatever a fault left: who asks is told the truth, and the host has given nothing away for nothing. */
function expectAgreement(seen: Seen, hasSide: boolean, place: string): void {
  const { vm, record, inVmm, onHost } = seen;
  const told = `${place}: ${JSON.stringify(seen)}`;
  expect(["running", "ending", "stopped"], told).toContain(vm);
  expect([undefined, "attached", "detached", "detaching"], told).toContain(record);
  if (record === "attached") {
    // A VMM whose guest has ended, and which was to end with it, has no devices any more; what they hold of the host is given back with it.
    if (vm !== "ending") expect([vm, inVmm], told).toEqual(["running", true]);
    expect(onHost, told).toBe(hasSide);
  }
  if (record === "detached" || record === undefined)
    expect([inVmm, onHost], told).toEqual([false, false]);
}
