import type { Engine, VmSpec } from "@silkvm/core";
import { netResize } from "@silkvm/netresize";
import { describe, expect, it } from "vitest";
import { type FaultReport, runFaultless, runFaulty } from "./fault-run.ts";
import { type FaultKind, faultsMs, faultsOf, type FaultWay, faultWays } from "./fault-sample.ts";
import { fewNics, manyNics, type NicVerb, runVerb, type Verb, vmName } from "./fault-verbs.ts";
import { cniPlugins, makeNetSandbox, netMissing, type NetSandbox } from "./net-sandbox.ts";
import { expectAgreement, specWithNics } from "./nic-scene.ts";
import { qemuTarget } from "./real-qemu.ts";
import { type Target, targets } from "./targets.ts";

type NetKind = "bridge" | "cni";
type LifeVerb = "create" | "start" | "delete";

const missing = (target: Target): boolean =>
  netMissing !== undefined || target.missing !== undefined;

/** CNI is the same to all VMMs, and takes its time: the last one that is there stands for all. */
const cniTarget = targets.findLast((target) => !missing(target));

describe.each([...targets, qemuTarget])("NICs of a VM that runs on $name", (target) => {
  describe.skipIf(missing(target)).each(["grow", "shrink"] as const)("%s", (verb) => {
    it.each(faultWays)(
      "and when an effect %s, the record, the VMM and the host agree, and the same command succeeds",
      (way) => loopResize(target, { verb, on: "bridge", way }),
      faultsMs,
    );

    it.skipIf(cniPlugins === undefined || target !== cniTarget).each(faultWays)(
      "in a CNI network, and when an effect %s, they agree too",
      (way) => loopResize(target, { verb, on: "cni", way }),
      faultsMs,
    );
  });
});

describe.each(targets)("a VM with NICs on $name", (target) => {
  describe.skipIf(missing(target)).each(["create", "start", "delete"] as const)("%s", (verb) => {
    it.each(faultWays)(
      "and when an effect %s, nothing half-made is left, and the same command succeeds",
      (way) => loopLife(target, verb, way),
      faultsMs,
    );
  });
});

async function loopResize(
  target: Target,
  { verb, on, way }: { readonly verb: NicVerb; readonly on: NetKind; readonly way: FaultWay },
): Promise<void> {
  const [from, to] = verb === "grow" ? [fewNics, manyNics] : [manyNics, fewNics];
  await using sandbox = await makeNetSandbox(target.chBinary(), target.settings);
  const before = sandbox.left();
  await using engine = await sandbox.engine();
  const spec = await specWithNics(target, from, on);
  await runVerb(engine, "create", spec);
  await runVerb(engine, "start", spec);
  const back = async (): Promise<void> => {
    await netResize(engine, vmName, { target: from });
    await expectExactly(engine, sandbox, from, "back");
  };
  const effects = await countEffects(sandbox, verb, spec);
  await back();
  for (const fault of faultsOf(target, way, effects.length)) {
    const { kind, nth } = fault;
    const place = `${kind} at effect ${nth} of ${effects.length}, ${effects[nth - 1]}`;
    const report = await runFaulty(sandbox, verb, spec, fault);
    expectTold(report, kind, place);
    // What a process left that was killed is settled by the next command that changes anything, whatever it is.
    await engine.gc();
    expect(await engine.operations(), place).toEqual([]);
    const now = await expectAgreement(engine, sandbox, vmName, place);
    expect(now >= fewNics && now <= manyNics, place).toBe(true);
    await runVerb(engine, verb, spec);
    await expectExactly(engine, sandbox, to, place);
    await back();
  }
  await runVerb(engine, "delete", spec);
  expect(sandbox.left()).toEqual(before);
}

async function loopLife(target: Target, verb: LifeVerb, way: FaultWay): Promise<void> {
  await using sandbox = await makeNetSandbox(target.chBinary());
  const before = sandbox.left();
  await using engine = await sandbox.engine();
  const spec = await specWithNics(target, 2);
  // The store is made before effects are counted.
  await engine.gc();
  await prepare(engine, verb, spec);
  const effects = await countEffects(sandbox, verb, spec);
  for (const fault of faultsOf(target, way, effects.length)) {
    await clear(engine);
    expect(sandbox.left()).toEqual(before);
    await prepare(engine, verb, spec);
    // As after a reboot of the host, so that there is something to make.
    if (verb === "start") for (const tap of sandbox.taps()) sandbox.ip("link", "del", tap);
    const { kind, nth } = fault;
    const place = `${kind} at effect ${nth} of ${effects.length}, ${effects[nth - 1]}`;
    const report = await runFaulty(sandbox, verb, spec, fault);
    expectTold(report, kind, place);
    await engine.gc();
    expect(await engine.operations(), place).toEqual([]);
    const there = (await engine.list({ all: true })).map(({ state }) => state);
    if (there.length === 0) expect(sandbox.left(), place).toEqual(before);
    else if (there[0] === "running") await expectAgreement(engine, sandbox, vmName, place);
    const again = await runVerb(engine, verb, spec).then(
      () => undefined,
      (error: unknown) => error as Error & { code?: string },
    );
    const done = { create: "VM_EXISTS", delete: "VM_NOT_FOUND", start: "" }[verb];
    expect([undefined, done], `${place}: ${again?.message}`).toContain(again?.code);
    const now = (await engine.list({ all: true })).map(({ state }) => state);
    expect(now, place).toEqual({ create: ["created"], start: ["running"], delete: [] }[verb]);
    if (verb === "start") await expectAgreement(engine, sandbox, vmName, place);
    expect(sandbox.taps(), place).toHaveLength(verb === "delete" ? 0 : 2);
  }
  await clear(engine);
  expect(sandbox.left()).toEqual(before);
}

/** So many NICs, and none that is leaving. */
async function expectExactly(
  engine: Engine,
  sandbox: NetSandbox,
  nics: number,
  place: string,
): Promise<void> {
  expect(await expectAgreement(engine, sandbox, vmName, place), place).toBe(nics);
  expect(sandbox.taps(), place).toHaveLength(nics);
}

async function prepare(engine: Engine, verb: LifeVerb, spec: VmSpec): Promise<void> {
  if (verb !== "create") await runVerb(engine, "create", spec);
  if (verb === "delete") await runVerb(engine, "start", spec);
}

async function clear(engine: Engine): Promise<void> {
  const all = (await engine.list({ all: true })).map(({ id }) => id);
  expect((await engine.delete(all, { force: true })).failed).toEqual([]);
}

async function countEffects(
  sandbox: NetSandbox,
  verb: Verb,
  spec: VmSpec,
): Promise<readonly string[]> {
  const report = await runFaultless(sandbox, verb, spec);
  expect(report).toMatchObject({ ok: true });
  expect(report.effects.length).toBeGreaterThan(5);
  return report.effects;
}

/** A process that was killed says nothing; one that failed names a reason. */
function expectTold(report: FaultReport | undefined, kind: FaultKind, place: string): void {
  if (kind === "kill") expect(report, place).toBeUndefined();
  else if (report?.ok === false)
    expect(report.error?.kind, `${place}: ${report.error?.message}`).not.toBe("internal");
  else expect(report, place).toBeDefined();
}
