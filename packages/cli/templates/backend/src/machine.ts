import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BackendContext, Host, ProcessIdentity, VmmFinder, VmRecord } from "@silkvm/core";

/** What the functions of the backend share. */
export interface Machine extends VmmFinder, Pick<BackendContext, "logger" | "paths"> {
  /** Everything that is done to the machine goes through it, so that tests can count it, and let it fail. */
  readonly host: Host;
  readonly startTimeoutMs: number;
}

/** The program. Yours would be looked for on PATH, by `host.processes.which`. */
export const vmmPath: string = fileURLToPath(
  new URL(`./vmm${extname(import.meta.url)}`, import.meta.url),
);

/** Yours would be asked for it: `vmm --version`. */
export const vmmVersion = "1.0.0";

/** Where the VMM of a VM puts its things: in the run directory, which ends with it. */
export function places({ paths }: Pick<Machine, "paths">, vm: { readonly id: string }) {
  const { runDir, consoleSocketPath } = paths(vm);
  return { console: consoleSocketPath, ended: join(runDir, "ended") };
}

/** The program and its arguments. By the console's path each VM's VMM is known among all processes. */
export function vmmCommand(machine: Machine, vm: VmRecord): readonly [string, ...string[]] {
  const { console, ended } = places(machine, vm);
  const disks = vm.disks.flatMap(({ path }) => ["--disk", path]);
  return [process.execPath, vmmPath, "--console", console, "--ended", ended, ...disks];
}

/** The living processes that are a VM's VMM, whatever its record knows of them. */
export async function findVmm(
  machine: Pick<Machine, "host" | "paths">,
  vm: { readonly id: string },
): Promise<readonly ProcessIdentity[]> {
  const { console } = places(machine, vm);
  const found = await machine.host.processes.find(
    (argv) => argv.includes(vmmPath) && argv.includes(console),
  );
  return found.map(({ identity }) => identity);
}
