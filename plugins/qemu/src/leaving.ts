import { join } from "node:path";
import type { VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";

/** Begins the name of a file in the run directory for each device that the guest was asked to let go of: QEMU does not tell. */
export const leavingPrefix = "leaving-";

/** What is to be done once a device has gone: commands of the monitor that give back what was behind it. */
export type Afterwards = readonly {
  readonly command: string;
  readonly args: Readonly<Record<string, string>>;
}[];

/** Remembers, as long as the VMM lives, that the guest was asked to let go of a device. */
export async function rememberLeaving(
  { host, paths }: Machine,
  vm: VmRecord,
  id: string,
  afterwards: Afterwards,
): Promise<void> {
  await host.files.writeAtomic(pathOf(paths(vm).runDir, id), JSON.stringify(afterwards), {
    mode: 0o600,
  });
}

/** What is to be done once a device has gone; undefined where its guest was never asked. */
export async function recallLeaving(
  { host, paths }: Machine,
  vm: VmRecord,
  id: string,
): Promise<Afterwards | undefined> {
  const path = pathOf(paths(vm).runDir, id);
  if ((await host.files.stat(path)) === undefined) return undefined;
  return JSON.parse(await host.files.readText(path)) as Afterwards;
}

export async function forgetLeaving(
  { host, paths }: Machine,
  vm: VmRecord,
  id: string,
): Promise<void> {
  await host.files.remove(pathOf(paths(vm).runDir, id));
}

/** Ids of the devices that the guest was asked to let go of. */
export async function leavingDevices(
  { host, paths }: Machine,
  vm: VmRecord,
): Promise<ReadonlySet<string>> {
  const names = await host.files.list(paths(vm).runDir);
  return new Set(
    names
      .filter((name) => name.startsWith(leavingPrefix))
      .map((name) => name.slice(leavingPrefix.length)),
  );
}

function pathOf(runDir: string, id: string): string {
  return join(runDir, `${leavingPrefix}${id}`);
}
