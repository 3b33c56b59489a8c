import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { commandLine, variables } from "./command-lines.ts";
import { makePlaces, type Places } from "./places.ts";
import { type Ending, runSilk, traces } from "./run.ts";

/** How many command lines are tried; a fixed number of them would take as long as the machine is slow. */
const given = process.env["SILK_TEST_FUZZ_RUNS"];
const limits =
  given === undefined
    ? { numRuns: 80, interruptAfterTimeLimit: 30_000 }
    : { numRuns: Number(given) };

let places: Places;
beforeAll(async () => {
  places = await makePlaces();
});
/** The last pair of runs: where the time is over, nobody waits for it. */
let last: Promise<unknown> = Promise.resolve();
afterAll(async () => {
  await last;
  await places[Symbol.asyncDispose]();
});

it(
  "the launcher and the bundle print what plain oclif prints, byte for byte, and write nothing",
  { timeout: 3_600_000 },
  async () => {
    const { dir, stores, configs } = places;
    const situation = fc.record({
      argv: commandLine,
      store: fc.constantFrom(...stores),
      root: fc.constantFrom("absolute", "absolute", "absolute", "relative", "by config"),
      config: fc.option(fc.constantFrom(...configs), { freq: 3 }),
      oclif: fc.constantFrom("bare", "bare", "bare", "themed", "plugged", "unplugged"),
      env: variables,
    });
    const beganMs = Date.now();
    const read = [join(dir, "stores"), join(dir, "home"), join(dir, "config")];
    const before = read.map(traces);
    await fc.assert(
      fc.asyncProperty(situation, async ({ argv, store, root, config, oclif, env }) => {
        const rootDir =
          root === "by config"
            ? ""
            : root === "relative"
              ? `stores/${store}`
              : join(dir, "stores", store);
        const configFile = root === "by config" ? "root.json" : config;
        const all: Record<string, string> = {
          PATH: process.env["PATH"] ?? "",
          TERM: "xterm",
          HOME: join(dir, "home"),
          XDG_CACHE_HOME: join(dir, "cache"),
          ...(oclif === "bare"
            ? {}
            : { XDG_CONFIG_HOME: join(dir, oclif), XDG_DATA_HOME: join(dir, oclif) }),
          ...env,
          SILK_ROOT_DIR: rootDir,
          ...(configFile === null ? {} : { SILK_CONFIG: join("config", configFile) }),
        };
        const pair = Promise.all([
          runSilk(argv, { cwd: dir, env: all }),
          runSilk(argv, { cwd: dir, env: { ...all, SILK_PLAIN: "1" } }),
        ]);
        last = pair;
        const [fast, plain] = await pair;
        expect(timeless(fast, beganMs)).toEqual(timeless(plain, beganMs));
        expect(fast.signal).toBeNull();
      }),
      limits,
    );
    expect(read.map(traces)).toEqual(before);
  },
);

/** Without the moments at which it was found out that a VM is in trouble: each run finds it out by itself. */
function timeless(ending: Ending, beganMs: number): Ending {
  const isNow = (iso: string): boolean => Date.parse(iso) >= beganMs;
  return {
    ...ending,
    stdout: ending.stdout.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (iso) =>
      isNow(iso) ? "now" : iso,
    ),
  };
}
