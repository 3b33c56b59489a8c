import { constants } from "node:os";
import type { GuestExit, Host } from "@silkvm/core";

const sectorBytes = 512;
/** As a shell says it of a program that a signal has ended. */
const signalled = 128;

/**
 * Reads from the disk `silk-exit` how the VM's program ended. Undefined where it did not, or nobody wrote it down: the VM was killed or crashed. As docker has
 * it, 125 is a failure of the boot or of a volume, 126 a program that cannot be run, 127 one that is not there.
 * SIGINT and SIGPIPE cannot be told from the codes 130 and 141: they are codes.
 */
export async function readExitStatus(host: Host, path: string): Promise<GuestExit | undefined> {
  const bytes = Buffer.from(await host.files.readRange(path, 0, sectorBytes));
  const [, how = "", number] = /^(exit|signal) (\d{1,3})\n/.exec(bytes.toString("latin1")) ?? [];
  return number === undefined ? undefined : guestExit(how, Number(number));
}

/** Makes the exit disk say nothing: what it says is of the last run. */
export async function clearExitStatus(host: Host, path: string): Promise<void> {
  if ((await host.files.stat(path)) === undefined) return;
  await using file = await host.files.open(path, "update");
  await file.write(Buffer.alloc(sectorBytes), 0);
}

/** What a guest says of how its program ended: `exit 3`, `signal 9`. */
export function guestExit(how: string, number: number): GuestExit | undefined {
  if (how === "exit") return { exitCode: number };
  if (how !== "signal") return undefined;
  const [name] = Object.entries(constants.signals).find(([, value]) => value === number) ?? [];
  return { exitCode: signalled + number, signal: name ?? String(number) };
}
