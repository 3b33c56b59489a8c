import { existsSync } from "node:fs";

import { fatalError, normalJson, normalStderr, normalText } from "./normalize.ts";
import { toRecorded } from "./paths.ts";
import { prepareStart } from "./preparations.ts";
import type { Program } from "./program.ts";
import { type ProcRow, spawnedName } from "./rows.ts";
import { differ, MATCH, type Outcome, outcome, type World } from "./world.ts";

const READY_MS = 20_000;
const STILL_RUNNING_MS = 1_000;

/** Starts a program again, ends one, or looks at how one ended. */
export async function runProc(world: World, at: number, row: ProcRow): Promise<Outcome> {
  const name = spawnedName(row);
  if (name !== undefined) return await startVmm(world, at, row, name);
  if (row.argv !== undefined) return await runToEnd(world, at, row);
  return await lookAtEnd(world, row);
}

async function startVmm(world: World, at: number, row: ProcRow, name: string): Promise<Outcome> {
  const older = world.sandbox.running.filter((program) => program.name === name);
  if (row.socket_ready_ms !== null) for (const program of older) await program.kill();
  const env = await prepareStart(world, at, row, name);
  const program = world.sandbox.start(name, row, env);
  world.startedAt.set(program, at);
  world.onDemand.delete(name);
  world.removals.delete(name);
  const ready =
    row.socket_ready_ms === null && older.length > 0
      ? (await program.waitEnd(READY_MS), false)
      : await program.waitReady(world.sandbox.root, READY_MS);
  if (row.socket_ready_ms === null || row.socket_ready_ms === undefined) return MATCH;
  return outcome(
    differ(
      "start",
      "a socket that takes connections",
      ready ? "a socket that takes connections" : program.stderr,
    ),
  );
}

/** Runs a program that is to end by itself, or that is still running when the recorder lost patience. */
async function runToEnd(world: World, at: number, row: ProcRow): Promise<Outcome> {
  const isVmm = row.argv?.[0]?.endsWith("cloud-hypervisor") === true;
  if (!isVmm && !onThisHost(row.argv?.[0] ?? "")) {
    return { result: "unchecked", why: `${row.argv?.[0]} is not on this host` };
  }
  const env = isVmm ? await prepareStart(world, at, row, undefined) : {};
  const program = world.sandbox.start(row.step, row, env);
  program.accounted = true;
  if (row.exit === "timeout") {
    const ending = await program.waitEnd(STILL_RUNNING_MS);
    await program.kill();
    return outcome(
      differ(
        "after a while",
        "still running",
        ending === undefined ? "still running" : program.stderr,
      ),
    );
  }
  const ending = await program.waitEnd(READY_MS);
  if (ending === undefined) await program.kill();
  return outcome([...differ("exit", row.exit, exitOf(program)), ...compareOutput(row, program)]);
}

function onThisHost(name: string): boolean {
  if (name.includes("/")) return existsSync(name);
  return (process.env["PATH"] ?? "")
    .split(":")
    .some((directory) => existsSync(`${directory}/${name}`));
}

async function lookAtEnd(world: World, row: ProcRow): Promise<Outcome> {
  const program = world.ending();
  if (program === undefined)
    return { result: "mismatch", why: "no program is left that could end" };
  program.accounted = true;
  if (row.signal !== undefined) program.signal(row.signal as NodeJS.Signals);
  if (typeof row.exit === "string" && row.exit.startsWith("still running")) {
    const ending = await program.waitEnd(STILL_RUNNING_MS);
    const differences = [
      ...differ("after a while", "still running", ending === undefined ? "still running" : "ended"),
      ...leftovers(world, row, program),
    ];
    await program.kill();
    return outcome(differences);
  }
  const ending = await program.waitEnd(READY_MS);
  if (ending === undefined) await program.kill();
  return outcome([
    ...differ("exit", row.exit, ending === undefined ? "still running" : exitOf(program)),
    ...leftovers(world, row, program),
    ...compareOutput(row, program),
  ]);
}

/** An exit as recorded: the code, or the signal's number with a minus. */
export function exitOf(program: Program): number | undefined {
  const numbers: Partial<Record<NodeJS.Signals, number>> = {
    SIGHUP: -1,
    SIGINT: -2,
    SIGKILL: -9,
    SIGTERM: -15,
    SIGSYS: -31,
  };
  const { ending } = program;
  if (ending === undefined) return undefined;
  return ending.signal === null ? (ending.code ?? undefined) : numbers[ending.signal];
}

function leftovers(world: World, row: ProcRow, program: Program): string[] {
  if (program.socket === undefined) return [];
  const path = world.sandbox.where(program.socket);
  return [
    ...(row.socket_left === undefined
      ? []
      : differ("socket left", row.socket_left, existsSync(path))),
    ...(row.lock_left === undefined
      ? []
      : differ("lock left", row.lock_left, existsSync(`${path}.lock`))),
  ];
}

/** Compares what a program said: its chain of errors and fatal error, and what it wrote to its output. */
export function compareOutput(row: ProcRow, program: Program): string[] {
  const [expected, actual] = [row.stderr ?? "", toRecorded(program.stderr)];
  const differences: string[] = [];
  // What a VMM writes there once it runs is its guest's.
  if (row.stdout !== undefined && row.argv !== undefined)
    differences.push(...differ("stdout", normalJson(row.stdout), normalJson(program.stdout)));
  if (program.stderr.includes("--help") && row.exit === 2) {
    differences.push(...compareUsage(expected, actual));
  } else if (row.stderr !== undefined && !isTail(expected)) {
    differences.push(...differ("stderr", normalStderr(expected), normalStderr(actual)));
    differences.push(
      ...differ("fatal error", fatalError(expected) ?? "none", fatalError(actual) ?? "none"),
    );
  }
  return differences;
}

/** A long text was recorded from its end, so that it may start within a line. */
function isTail(text: string): boolean {
  return text.length >= 3000;
}

/** The help's words are the simulator's own: what it says is wrong has to be the same, and the options that it lists. */
function compareUsage(expected: string, actual: string): string[] {
  const optionsOf = (text: string): string =>
    [...text.matchAll(/^\s+(?:-\w, )?(--[a-z-]+)/gm)].map((found) => found[1]).join(" ");
  const known = optionsOf(expected);
  if (known === "") return differ("usage", normalText(expected).trim(), normalText(actual).trim());
  return optionsOf(actual).endsWith(known) ? [] : differ("options", known, optionsOf(actual));
}
