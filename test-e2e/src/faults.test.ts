import { readdir } from "node:fs/promises";
import type { Engine, VmSpec } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { runFaulty } from "./fault-run.ts";
import { runVerb, type Verb } from "./fault-verbs.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { type Target, targets } from "./targets.ts";

const verbs: readonly Verb[] = ["create", "start", "stop", "delete"];
const host = linuxHost();

/** What must have been done before a verb can be tried. */
const before: Readonly<Record<Verb, readonly Verb[]>> = {
  create: [],
  start: ["create"],
  stop: ["create", "start"],
  delete: ["create", "start"],
};

describe.each(targets)("on $name", (target) => {
  describe.skipIf(target.missing !== undefined).each(verbs)("%s", (verb) => {
    it("leaves nothing behind when any one of its effects fails, and succeeds when it is run again", async () => {
      await forEachEffect(target, verb, async (sandbox, spec, nth, count) => {
        for (const kind of nth % 2 === 0
          ? (["ENOSPC", "ETIMEDOUT"] as const)
          : (["EIO", "EACCES"] as const)) {
          const report = await runFaulty({
            config: sandbox.config,
            verb,
            spec,
            fault: { kind, nth },
          });
          const place = `effect ${nth} of ${count}, ${report?.effects.at(nth - 1)}, ${kind}`;
          expect(report, place).toBeDefined();
          // A failed effect may be one that does not matter; but a verb that says that it failed names a reason.
          if (report?.ok === false)
            expect(report.error?.kind, `${place}: ${report.error?.message}`).not.toBe("internal");
          await expectLegal(sandbox, place);
          await runAgain(sandbox, verb, spec, place, report?.ok === true);
          await reset(sandbox, verb, spec);
        }
      });
    }, 300_000);

    it("is finished or undone by the next command when it is killed at any one of its effects", async () => {
      await forEachEffect(target, verb, async (sandbox, spec, nth, count) => {
        const report = await runFaulty({
          config: sandbox.config,
          verb,
          spec,
          fault: { kind: "kill", nth },
        });
        const place = `killed at effect ${nth} of ${count}`;
        expect(report, place).toBeUndefined();
        await runAgain(sandbox, verb, spec, place, false);
        await expectLegal(sandbox, place);
        await reset(sandbox, verb, spec);
      });
    }, 300_000);
  });
});

/** Counts a verb's effects in a run without a fault, and then does something for each of them. */
async function forEachEffect(
  target: Target,
  verb: Verb,
  run: (sandbox: Sandbox, spec: VmSpec, nth: number, count: number) => Promise<void>,
): Promise<void> {
  await using sandbox = await makeSandbox(target.chBinary());
  const spec = await target.spec();
  await reset(sandbox, verb, spec);
  const whole = await runFaulty({
    config: sandbox.config,
    verb,
    spec,
    fault: { kind: "none", nth: 0 },
  });
  expect(whole).toMatchObject({ ok: true });
  const count = whole?.effects.length ?? 0;
  expect(count).toBeGreaterThan(3);
  for (let nth = 1; nth <= count; nth++) {
    await reset(sandbox, verb, spec);
    await run(sandbox, spec, nth, count);
  }
  await reset(sandbox, "create", spec);
  await expectNothingLeft(sandbox);
}

/** Brings the sandbox to where the verb can be tried. */
async function reset(sandbox: Sandbox, verb: Verb, spec: VmSpec): Promise<void> {
  await using engine = await sandbox.engine();
  const all = (await engine.list({ all: true })).map(({ id }) => id);
  expect((await engine.delete(all, { force: true })).failed).toEqual([]);
  for (const step of before[verb]) await runVerb(engine, step, spec);
}

/** The same command once more. It succeeds; or, where the first one had already done it all, says that it is done. */
async function runAgain(
  sandbox: Sandbox,
  verb: Verb,
  spec: VmSpec,
  place: string,
  wasDone: boolean,
): Promise<void> {
  await using engine = await sandbox.engine();
  const done: Readonly<Record<Verb, string>> = {
    create: "VM_EXISTS",
    start: "",
    stop: "",
    delete: "VM_NOT_FOUND",
  };
  try {
    await runVerb(engine, verb, spec);
    expect(wasDone && done[verb] !== "", `${place}: what was done is done twice`).toBe(false);
  } catch (error) {
    // Killed after its commit, a create or a delete is done, though nobody was told.
    const code = (error as { code?: string }).code;
    const told = (error as Error).message;
    expect(code, `${place}: run again: ${told}`).toBe(done[verb]);
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
  const running = await host.processes.find(
    (argv) =>
      argv.includes("--api-socket") && argv.some((argument) => argument.includes(sandbox.dir)),
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
