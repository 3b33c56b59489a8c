import type { Engine, Vm, VmSpec } from "@silkvm/core";
import { expect } from "vitest";
import { type FaultReport, runFaultless, runFaulty } from "./fault-run.ts";
import { faultsOf, type FaultWay } from "./fault-sample.ts";
import {
  cloneName,
  importName,
  runVerb,
  snapshotName,
  type SnapshotVerb,
  vmName,
  writeArchive,
} from "./fault-verbs.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { expectNothingLeft, processesIn } from "./snapshot-scene.ts";
import type { SnapshotTarget } from "./snapshot-targets.ts";

/** What is said in the guest's memory before anything goes wrong. */
const word = "kept";

/** What there is, by names: VMs that run, VMs that do not, snapshots. */
interface Inventory {
  readonly running: readonly string[];
  readonly stopped?: readonly string[];
  readonly snapshots: readonly string[];
}

/** What a verb starts from, what it comes to, and what it says when it is run again though it was done. */
interface Story {
  readonly before: Inventory;
  readonly after: Inventory;
  readonly doneAlready?: string;
  /** Takes away what the verb has done. */
  readonly undo: (engine: Engine, spec: VmSpec) => Promise<unknown>;
}

const saved: Inventory = { running: [vmName], snapshots: [snapshotName] };
const asleep: Inventory = { running: [], stopped: [vmName], snapshots: [`${vmName}-1`] };
const awake: Inventory = { running: [vmName], snapshots: [] };

const stories: Readonly<Record<SnapshotVerb, Story>> = {
  snapshot: {
    before: awake,
    after: saved,
    doneAlready: "SNAPSHOT_EXISTS",
    undo: (engine, spec) => runVerb(engine, "delete-snapshot", spec),
  },
  clone: {
    before: saved,
    after: { ...saved, running: [vmName, cloneName] },
    doneAlready: "VM_EXISTS",
    undo: (engine) => engine.delete([cloneName], { force: true }),
  },
  restore: { before: saved, after: saved, undo: async () => {} },
  hibernate: {
    before: awake,
    after: asleep,
    doneAlready: "VM_NOT_RUNNING",
    undo: (engine, spec) => runVerb(engine, "wake", spec),
  },
  wake: {
    before: asleep,
    after: awake,
    doneAlready: "VM_NOT_HIBERNATED",
    undo: (engine, spec) => runVerb(engine, "hibernate", spec),
  },
  "delete-snapshot": {
    before: saved,
    after: awake,
    doneAlready: "SNAPSHOT_NOT_FOUND",
    undo: (engine, spec) => runVerb(engine, "snapshot", spec),
  },
  export: { before: saved, after: saved, undo: async () => {} },
  import: {
    before: saved,
    after: { ...saved, snapshots: [snapshotName, importName] },
    doneAlready: "SNAPSHOT_EXISTS",
    undo: (engine) => engine.snapshots.delete([importName]),
  },
};

/** Verbs that leave the VM as it was, whatever happens. The others may stop it half-way, to be run again. */
const harmless: ReadonlySet<SnapshotVerb> = new Set([
  "snapshot",
  "clone",
  "delete-snapshot",
  "export",
  "import",
]);

/**
 * Counts a verb's effects in a run without a fault, and then runs it with a fault at some or each of them. After each, what is there is
 * whole, the source runs, and the same command succeeds.
 */
export async function loopFaults(
  target: SnapshotTarget,
  verb: SnapshotVerb,
  way: FaultWay,
): Promise<void> {
  const chBinary = await target.vmm();
  await using sandbox = await makeSandbox(chBinary, [], target.settings);
  await using engine = await sandbox.engine();
  const spec = { ...(await target.spec()), memoryBytes: 2 ** 25 };
  const story = stories[verb];
  await setUp(engine, target, verb, spec);
  await expectInventory(engine, story.before, "before");

  const counted = await runFaultless(sandbox, verb, spec);
  expect(counted).toMatchObject({ ok: true });
  const { effects } = counted;
  expect(effects.length).toBeGreaterThan(verb === "export" ? 0 : 3);
  await story.undo(engine, spec);

  let kills = 0;
  const faults = faultsOf(target, way, effects.length);
  for (const { kind, nth } of faults) {
    const place = `${kind} at effect ${nth} of ${effects.length}, ${effects[nth - 1]}`;
    const report = await runFaulty(sandbox, verb, spec, { kind, nth });
    // Effects that run side by side are not always as many: the last ones may not be there this time.
    if (report === undefined) kills += 1;
    else if (kind === "kill") {
      expect(report, place).toMatchObject({ ok: true });
      expect(report.effects.length, place).toBeLessThan(nth);
    }
    if (report?.ok === false)
      expect(report.error?.kind, `${place}: ${report.error?.message}`).not.toBe("internal");
    // What a process left that was killed is cleared up by the next command that changes anything, whatever it is.
    if (kind === "kill") await engine.gc();
    await expectWhole({ engine, sandbox, target, verb, place });
    await runAgain({ engine, verb, spec, report, place });
    await expectInventory(engine, story.after, place);
    for (const name of story.after.running) {
      const vm = await engine.get(name);
      expect(await target.guest.recall(vm), `${place}: ${name}`).toBe(word);
    }
    await story.undo(engine, spec);
    await expectInventory(engine, story.before, place);
  }
  if (faults.some(({ kind }) => kind === "kill")) expect(kills).toBeGreaterThan(0);
  await expectNothingLeft(engine, sandbox);
}

async function setUp(
  engine: Engine,
  { guest }: SnapshotTarget,
  verb: SnapshotVerb,
  spec: VmSpec,
): Promise<void> {
  await runVerb(engine, "create", spec);
  await runVerb(engine, "start", spec);
  await guest.remember(await engine.get(vmName), word);
  const { before } = stories[verb];
  if (before.snapshots.includes(snapshotName)) await runVerb(engine, "snapshot", spec);
  if (before === asleep) await runVerb(engine, "hibernate", spec);
  if (verb === "import") await writeArchive(engine);
}

interface Place {
  readonly engine: Engine;
  readonly verb: SnapshotVerb;
  /** For the message of a failed test. */
  readonly place: string;
}

/** Nothing half-made is to be seen, nothing is left of what was undone, and the source runs. */
async function expectWhole({
  engine,
  sandbox,
  target: { guest },
  verb,
  place,
}: Place & { readonly sandbox: Sandbox; readonly target: SnapshotTarget }): Promise<void> {
  const { before, after } = stories[verb];
  const known = [before, after].flatMap(({ running, stopped = [] }) => [...running, ...stopped]);
  const listed = await engine.list({ all: true });
  for (const { name, state } of listed) {
    expect(known, place).toContain(name);
    expect(["running", "stopped", "error"], place).toContain(state);
  }
  const snapshots = (await engine.snapshots.list()).map(({ name }) => name);
  expect([before.snapshots, after.snapshots], place).toContainEqual(snapshots);
  for (const name of snapshots) await engine.snapshots.inspect(name);
  expect(await engine.gc({ dryRun: true }), place).toEqual([]);
  const running = listed.filter(({ state }) => state === "running");
  const vm: Vm = await engine.get(vmName);
  const view = await vm.inspect();
  if (harmless.has(verb)) expect(view.state, place).toBe("running");
  if (view.state === "running") {
    expect(view.observed.vmm, place).toBe("running");
    await guest.count(vm);
    expect(await guest.recall(vm), place).toBe(word);
  } else {
    // It can be brought back: from a snapshot that it had, or from the one that it hibernates in.
    expect(snapshots.length, place).toBeGreaterThan(0);
  }
  // A PTY console makes the VMM fork: two processes for each.
  const processes = await processesIn(sandbox);
  expect(processes.length <= running.length * 2, `${place}: ${processes.join(" ")}`).toBe(true);
}

/** The same command once more. It succeeds; or, where the first one had done it all before it failed to say so, it says that it is done. */
async function runAgain({
  engine,
  verb,
  spec,
  report,
  place,
}: Place & {
  readonly spec: VmSpec;
  readonly report: FaultReport | undefined;
}): Promise<void> {
  const { doneAlready } = stories[verb];
  try {
    await runVerb(engine, verb, spec);
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    expect(code, `${place}: run again: ${message}`).toBe(doneAlready);
    return;
  }
  const doneTwice = report?.ok === true && doneAlready !== undefined;
  expect(doneTwice, `${place}: what was done is done twice`).toBe(false);
}

async function expectInventory(
  engine: Engine,
  { running, stopped = [], snapshots }: Inventory,
  place: string,
): Promise<void> {
  const listed = await engine.list({ all: true });
  const inState = (state: string) =>
    listed.filter((vm) => vm.state === state).map(({ name }) => name);
  expect(
    {
      running: inState("running"),
      stopped: inState("stopped"),
      all: listed.length,
      snapshots: (await engine.snapshots.list()).map(({ name }) => name),
    },
    place,
  ).toEqual({ running, stopped, all: running.length + stopped.length, snapshots });
  expect(await engine.operations(), place).toEqual([]);
}
