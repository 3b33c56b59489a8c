import { constants } from "node:os";
import type { Host } from "@silkvm/core";

/** How the program of a VM ended: with an exit code, or by a signal (`SIGKILL`; `64` for one without a name). */
export type ContainerExit = { readonly code: number } | { readonly signal: string };

const sectorBytes = 512;

/**
 * Reads from the disk `silk-exit` how the VM's program ended. Undefined where it did not, or nobody wrote it down: the VM was killed or crashed. As docker has
 * it, 125 is a failure of the boot or of a volume, 126 a program that cannot be run, 127 one that is not there.
 * SIGINT and SIGPIPE cannot be told from the codes 130 and 141: they are codes.
 */
export async function readExitStatus(host: Host, path: string): Promise<ContainerExit | undefined> {
  const bytes = Buffer.from(await host.files.readRange(path, 0, sectorBytes));
  const [, how, number] = /^(exit|signal) (\d{1,3})\n/.exec(bytes.toString("latin1")) ?? [];
  if (number === undefined) return undefined;
  if (how === "exit") return { code: Number(number) };
  const [name] =
    Object.entries(constants.signals).find(([, value]) => value === Number(number)) ?? [];
  return { signal: name ?? number };
}
