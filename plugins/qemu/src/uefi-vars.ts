import { basename, dirname, join } from "node:path";
import type { Host, VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";

/** Name of the store of variables in a VM's data directory, and in a snapshot. */
export const varsName = "uefi-vars.fd";

/** Where a VM keeps the variables of its UEFI: what boots first, keys, what an installer has set. */
export interface UefiVars {
  readonly path: string;
  /** What the store begins with, where the VM has none yet. */
  readonly template?: string | undefined;
}

/** The store of variables that a VM has, or gets as it starts. Undefined where its firmware comes with none, or there is no firmware. */
export async function uefiVars(
  { host, paths }: Pick<Machine, "host" | "paths">,
  vm: VmRecord,
): Promise<UefiVars | undefined> {
  if (vm.boot.kind !== "firmware") return undefined;
  const path = join(paths(vm).dataDir, varsName);
  if ((await host.files.stat(path)) !== undefined) return { path };
  const template = await templateOf(host, vm.boot.firmwarePath);
  return template === undefined ? undefined : { path, template };
}

/** Gives a VM its store of variables where it has none yet. */
export async function makeUefiVars(machine: Machine, vm: VmRecord): Promise<void> {
  const vars = await uefiVars(machine, vm);
  if (vars?.template !== undefined) await putVars(machine.host, vars.template, vars.path);
}

/** Puts a copy of a store of variables into its place, whole or not at all. */
export async function putVars({ files }: Host, from: string, to: string): Promise<void> {
  const unfinished = `${to}.unfinished`;
  await files.remove(unfinished);
  await files.copy(from, unfinished);
  // What it is copied from may be read-only.
  await files.chmod(unfinished, 0o600);
  await files.rename(unfinished, to);
}

/** The empty store that belongs to a firmware: beside it, its name says `VARS` where the firmware's says `CODE`. A whole firmware has none. */
async function templateOf({ files }: Host, firmwarePath: string): Promise<string | undefined> {
  const code = basename(firmwarePath);
  const name = code.replace("CODE", "VARS").replace("code", "vars");
  const path = join(dirname(firmwarePath), name);
  return name !== code && (await files.stat(path))?.kind === "file" ? path : undefined;
}
