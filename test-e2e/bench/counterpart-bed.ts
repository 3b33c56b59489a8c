import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { createChClient } from "@silkvm/ch-client";
import { type Counterpart, openCounterpart } from "../src/counterpart-cli.ts";
import { buildGuest, nestedStateShim } from "../src/guest.ts";
import { timeProgram } from "./program.ts";
import { fillMemory, type GuestSize, type SnapshotBed, writeDisk } from "./snapshot-bed.ts";
import type { SuiteContext } from "./suite.ts";

const run = promisify(execFile);

/** It makes no smaller VMs. */
const leastMemoryMib = 512;

/** The counterpart with a VM that runs, as large as silk's and with the same in it. */
export interface CounterpartBed extends AsyncDisposable {
  readonly path: string;
  /** Times one run of the program. */
  time(...args: readonly string[]): number;
  run(...args: readonly string[]): Promise<string>;
  /** Side by side. */
  runAll(commands: readonly (readonly string[])[]): Promise<void>;
  deleteVms(names: readonly string[]): Promise<void>;
}

/** @returns nothing where the program is missing, or makes no such VMs, which is said */
export async function makeCounterpartBed(
  bed: SnapshotBed,
  vmName: string,
  { memoryMib, filledMib }: GuestSize,
  { note }: Pick<SuiteContext, "note">,
): Promise<CounterpartBed | undefined> {
  if (memoryMib < leastMemoryMib) return undefined;
  const { kernelPath } = await buildGuest({});
  const { libraryPath } = await nestedStateShim({});
  const cocoon = await openCounterpart({
    dir: join(bed.place.dir, "cocoon"),
    kernelPath,
    env: { ...bed.env, LD_PRELOAD: libraryPath },
  });
  if (cocoon === undefined) {
    note("there is no `cocoon` on PATH");
    return undefined;
  }
  await boot(cocoon, vmName, memoryMib, filledMib);
  const { path, env } = cocoon;
  const deleteVms = async (names: readonly string[]): Promise<void> =>
    void (await cocoon.run("vm", "rm", "--force", ...names));
  return {
    path,
    time: (...args) => timeProgram(path, args, { env }),
    run: cocoon.run,
    runAll: async (commands) =>
      void (await Promise.all(commands.map((args) => run(path, [...args], { env })))),
    deleteVms,
    [Symbol.asyncDispose]: async () => {
      await deleteVms([vmName]);
    },
  };
}

async function boot(
  cocoon: Counterpart,
  name: string,
  memoryMib: number,
  filledMib: number,
): Promise<void> {
  const size = ["--cpu", "1", "--memory", `${memoryMib}M`, "--storage", "10G", "--nics", "0"];
  await cocoon.run("vm", "create", "--name", name, ...size, cocoon.image);
  const { storage_configs: disks } = JSON.parse(await cocoon.run("vm", "inspect", name)) as {
    storage_configs: { role: string; path: string }[];
  };
  const cow = disks.find(({ role }) => role === "cow");
  if (cow === undefined) throw new Error("the counterpart's VM has no COW disk");
  await writeDisk(cow.path);
  await cocoon.run("vm", "start", name);
  await using client = createChClient({ socketPath: await cocoon.socketOf(name) });
  const { config } = await client.vm.info();
  const pty = config.console?.file;
  if (typeof pty !== "string") throw new Error("the counterpart's VM has no console");
  await fillMemory(pty, filledMib);
}
