import { readdir } from "node:fs/promises";
import type { Engine, VmSpec } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import type { DeviceVerb } from "./fault-devices.ts";
import { type FaultReport, runFaultless, runFaulty } from "./fault-run.ts";
import { faultsMs, faultsOf, type FaultWay, faultWays } from "./fault-sample.ts";
import { type NicVerb, runVerb, type SnapshotVerb, type Verb as AnyVerb } from "./fault-verbs.ts";
import { qemuTarget } from "./real-qemu.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { type Target, targets } from "./targets.ts";

/**
 * Those that work on one VM that is not saved; `fault-saves.test.ts`, `fault-loads.test.ts`, `fault-devices.test.ts` and `fault-nics.test.ts` have the
 * others.
 */
type Verb = Exclude<AnyVerb, SnapshotVerb | DeviceVerb | NicVerb>;

const verbs: readonly Verb[] = ["create", "start", "stop", "delete"];
const host = linuxHost();

/** What must have been done before a verb can be tried. */
const before: Readonly<Record<Verb, readonly Verb[]>> = {
  create: [],
  start: ["create"],
  stop: ["create", "start"],
  delete: ["create", "start"],
};

describe.each([...targets, qemuTarget])("on $name", (target) => {
  describe.skipIf(target.missing !== undefined).each(verbs)("%s", (verb) => {
    it.each(faultWays)(
      "leaves nothing behind when an effect %s, and succeeds when it is run again",
      (way) => loopFaults(target, verb, way),
      faultsMs,
    );
  });
});

/** What a fault was, and what came of it. */
interface Faulted {
  readonly sandbox: Sandbox;
  readonly verb: Verb;
  readonly spec: VmSpec;
  readonly report: FaultReport | undefined;
  /** For the message of a failed test. */
  readonly place: string;
}

/**
 * Counts a verb's effects in a run without a fault, and then runs it with a fault at some or each of them: every time in directories that nobody has used
 * before, at the end of which nothing is left in them.
 */
async function loopFaults(target: Target, verb: Verb, way: FaultWay): Promise<void> {
  const spec = await target.spec();
  const { effects } = await inSandbox(target, verb, spec, async (sandbox) => {
    const report = await runFaultless(sandbox, verb, spec);
    expect(report).toMatchObject({ ok: true });
    return report;
  });
  expect(effects.length).toBeGreaterThan(3);
  for (const fault of faultsOf(target, way, effects.length)) {
    const { kind, nth } = fault;
    const place = `${kind} at effect ${nth} of ${effects.length}, ${effects[nth - 1]}`;
    await inSandbox(target, verb, spec, async (sandbox) => {
      const report = await runFaulty(sandbox, verb, spec, fault);
      const faulted: Faulted = { sandbox, verb, spec, report, place };
      if (kind === "kill") await expectKilled(faulted);
      else await expectFailed(faulted);
    });
  }
}

async function expectFailed(faulted: Faulted): Promise<void> {
  const { sandbox, report, place } = faulted;
  // A failed effect may be one that does not matter; but a verb that says that it failed names a reason.
  if (report?.ok === false)
    expect(report.error?.kind, `${place}: ${report.error?.message}`).not.toBe("internal");
  await expectLegal(sandbox, place);
  await runAgain(faulted);
}

async function expectKilled(faulted: Faulted): Promise<void> {
  expect(faulted.report, faulted.place).toBeUndefined();
  await runAgain(faulted);
  await expectLegal(faulted.sandbox, faulted.place);
}

/** Does something in a new sandbox in which the verb can be tried, and in which nothing is left at the end. */
async function inSandbox<T>(
  target: Target,
  verb: Verb,
  spec: VmSpec,
  act: (sandbox: Sandbox) => Promise<T>,
): Promise<T> {
  await using sandbox = await makeSandbox(target.chBinary(), [], target.settings);
  await prepare(sandbox, verb, spec);
  const result = await act(sandbox);
  await expectNothingLeft(sandbox);
  return result;
}

/** Brings the sandbox to where the verb can be tried. */
async function prepare(sandbox: Sandbox, verb: Verb, spec: VmSpec): Promise<void> {
  await using engine = await sandbox.engine();
  for (const step of before[verb]) await runVerb(engine, step, spec);
}

/** The same command once more. It succeeds; or, where the first one had done it all before it failed to say so, it says that it is done. */
async function runAgain({ sandbox, verb, spec, report, place }: Faulted): Promise<void> {
  await using engine = await sandbox.engine();
  const done: Readonly<Partial<Record<Verb, string>>> = {
    create: "VM_EXISTS",
    delete: "VM_NOT_FOUND",
  };
  try {
    await runVerb(engine, verb, spec);
    const doneTwice = report?.ok === true && done[verb] !== undefined;
    expect(doneTwice, `${place}: what was done is done twice`).toBe(false);
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    expect(code, `${place}: run again: ${message}`).toBe(done[verb]);
  }
  await expectState(engine, verb, place);
}

async function expectState(engine: Engine, verb: Verb, place: string): Promise<void> {
  const states = (await engine.list({ all: true })).map(({ state }) => state);
  const expected: Readonly<Record<Verb, readonly string[]>> = {
    create: ["created"],
    start: ["running"],
    stop: ["stopped"],
    delete: [],
  };
  expect(states, place).toEqual(expected[verb]);
}

/** No process that no record owns, and no record that is not true. */
async function expectLegal(sandbox: Sandbox, place: string): Promise<void> {
  await using engine = await sandbox.engine();
  const listed = await engine.list({ all: true });
  const running = await host.processes.find((argv) =>
    argv.some((argument) => argument.includes(sandbox.config.runDir)),
  );
  const known = new Set(listed.map(({ pid }) => pid));
  const parents = running.filter(({ identity }) => !known.has(identity.pid));
  // A PTY console makes the VMM fork: that process has the same arguments, and ends with it.
  expect(listed.some(({ state }) => state === "running") ? [] : parents, place).toEqual([]);
  for (const { state } of listed)
    expect(["created", "running", "stopped", "error"], place).toContain(state);
}

/** Nothing that a VM had is there once it is removed. */
async function expectNothingLeft(sandbox: Sandbox): Promise<void> {
  await using engine = await sandbox.engine();
  const all = (await engine.list({ all: true })).map(({ id }) => id);
  await engine.delete(all, { force: true });
  expect(await engine.gc({ dryRun: true })).toEqual([]);
  const left = async (dir: string): Promise<string[]> =>
    (await readdir(dir, { recursive: true }).catch(() => [])).filter(
      (name) => !/^[0-9a-f]{8}$/.test(name),
    );
  expect(await left(`${sandbox.config.rootDir}/vms`)).toEqual([]);
  expect(await left(sandbox.config.runDir)).toEqual([]);
  expect(await left(sandbox.config.logDir)).toEqual([]);
  expect(
    await host.processes.find((argv) =>
      argv.some((argument) => argument.includes(sandbox.config.runDir)),
    ),
  ).toEqual([]);
}
