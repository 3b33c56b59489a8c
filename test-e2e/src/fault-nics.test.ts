import type { Engine, VmSpec } from "@silkvm/core";
import { netResize } from "@silkvm/netresize";
import { describe, expect, it } from "vitest";
import { type FaultReport, type FaultRequest, runFaulty } from "./fault-run.ts";
import { fewNics, manyNics, type NicVerb, runVerb, type Verb, vmName } from "./fault-verbs.ts";
import { cniPlugins, makeNetSandbox, netMissing, type NetSandbox } from "./net-sandbox.ts";
import { expectAgreement, specWithNics } from "./nic-scene.ts";
import { qemuSample, qemuTarget } from "./real-qemu.ts";
import { type Target, targets } from "./targets.ts";

type FaultKind = Exclude<FaultRequest["fault"]["kind"], "none">;
type NetKind = "bridge" | "cni";
type LifeVerb = "create" | "start" | "delete";

/** How an effect fails before it is done; a time-out comes after it. */
const failures = ["ENOSPC", "EIO", "EACCES"] as const;
const kinds: Readonly<Record<string, (nth: number) => FaultKind>> = {
  fails: (nth) => failures[nth % 3] ?? "EIO",
  "times out though it was done": () => "ETIMEDOUT",
  "is the last one before a kill": () => "kill",
};

const missing = (target: Target): boolean =>
  netMissing !== undefined || target.missing !== undefined;

/**
 * On ch-sim every effect fails once and is killed once, and every third one times out; of a real VMM, which does most of the same by the same code, and of CNI, whose
 * plugins take their time, a third for each kind of fault.
 */
function effectsOf(target: Target, kind: string, on: NetKind): { first: number; step: number } {
  const at = Object.keys(kinds).indexOf(kind);
  if (target === qemuTarget) return qemuSample(6 + at * 13, 1_000);
  if (target.name !== "ch-sim" || on === "cni") return { first: 1 + at, step: 3 };
  return { first: 1, step: at === 1 ? 3 : 1 };
}

/** CNI is the same to all VMMs, and takes its time: the last one that is there stands for all. */
const cniTarget = targets.findLast((target) => !missing(target));

describe.each([...targets, qemuTarget])("NICs of a VM that runs on $name", (target) => {
  describe.skipIf(missing(target)).each(["grow", "shrink"] as const)("%s", (verb) => {
    it.each(Object.keys(kinds))(
      "and when an effect %s, the record, the VMM and the host agree, and the same command succeeds",
      (kind) => loopResize(target, { verb, on: "bridge", kind }),
      300_000,
    );

    it.skipIf(cniPlugins === undefined || target !== cniTarget).each(Object.keys(kinds))(
      "in a CNI network, and when an effect %s, they agree too",
      (kind) => loopResize(target, { verb, on: "cni", kind }),
      300_000,
    );
  });
});

describe.each(targets)("a VM with NICs on $name", (target) => {
  describe.skipIf(missing(target)).each(["create", "start", "delete"] as const)("%s", (verb) => {
    it.each(Object.keys(kinds))(
      "and when an effect %s, nothing half-made is left, and the same command succeeds",
      (kind) => loopLife(target, verb, kind),
      300_000,
    );
  });
});

async function loopResize(
  target: Target,
  { verb, on, kind }: { readonly verb: NicVerb; readonly on: NetKind; readonly kind: string },
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
  const { first, step } = effectsOf(target, kind, on);
  expect(effects.length).toBeGreaterThan(first);
  for (let nth = first; nth <= effects.length; nth += step) {
    const fault = { kind: kinds[kind]?.(nth) ?? "EIO", nth };
    const place = `${fault.kind} at effect ${nth} of ${effects.length}, ${effects[nth - 1]}`;
    const report = await faulty(sandbox, verb, spec, fault);
    expectTold(report, fault.kind, place);
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

async function loopLife(target: Target, verb: LifeVerb, kind: string): Promise<void> {
  await using sandbox = await makeNetSandbox(target.chBinary());
  const before = sandbox.left();
  await using engine = await sandbox.engine();
  const spec = await specWithNics(target, 2);
  // The store is made before effects are counted.
  await engine.gc();
  await prepare(engine, verb, spec);
  const effects = await countEffects(sandbox, verb, spec);
  const { first, step } = effectsOf(target, kind, "bridge");
  for (let nth = first; nth <= effects.length; nth += step) {
    await clear(engine);
    expect(sandbox.left()).toEqual(before);
    await prepare(engine, verb, spec);
    // As after a reboot of the host, so that there is something to make.
    if (verb === "start") for (const tap of sandbox.taps()) sandbox.ip("link", "del", tap);
    const fault = { kind: kinds[kind]?.(nth) ?? "EIO", nth };
    const place = `${fault.kind} at effect ${nth} of ${effects.length}, ${effects[nth - 1]}`;
    const report = await faulty(sandbox, verb, spec, fault);
    expectTold(report, fault.kind, place);
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
  const report = await faulty(sandbox, verb, spec, { kind: "none", nth: 0 });
  expect(report).toMatchObject({ ok: true });
  const effects = report?.effects ?? [];
  expect(effects.length).toBeGreaterThan(5);
  return effects;
}

function faulty(
  { config, under, env }: NetSandbox,
  verb: Verb,
  spec: VmSpec,
  fault: FaultRequest["fault"],
): Promise<FaultReport | undefined> {
  return runFaulty({ config, under, env, verb, spec, fault });
}

/** A process that was killed says nothing; one that failed names a reason. */
function expectTold(report: FaultReport | undefined, kind: FaultKind, place: string): void {
  if (kind === "kill") expect(report, place).toBeUndefined();
  else if (report?.ok === false)
    expect(report.error?.kind, `${place}: ${report.error?.message}`).not.toBe("internal");
  else expect(report, place).toBeDefined();
}
