import type { ModuleFiles } from "./module-files.ts";
import { type ModuleInfo, readModuleInfo } from "./modinfo.ts";
import { modulesInvalid } from "./errors.ts";

/** A module that is read. */
export interface LoadedModule {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * These modules and all that they need, in the order in which they can be inserted. Names that there is no file for are left out: they may be part of the kernel.
 * @param version of the kernel that they must be for
 * @throws SilkError `MODULES_INVALID`
 */
export async function inLoadOrder(
  names: readonly string[],
  { paths }: ModuleFiles,
  version: string,
  read: (path: string) => Promise<Buffer>,
): Promise<readonly LoadedModule[]> {
  const done = new Map<string, LoadedModule | undefined>();
  const visit = async (name: string): Promise<void> => {
    if (done.has(name)) return;
    done.set(name, undefined);
    const path = paths.get(name);
    if (path === undefined) return;
    const bytes = await read(path);
    const { depends, softPre } = checked(readModuleInfo(bytes), path, version);
    for (const needed of [...softPre, ...depends]) await visit(needed);
    // Anew, behind what it needs.
    done.delete(name);
    done.set(name, { name, bytes });
  };
  for (const name of names) await visit(name);
  return [...done.values()].filter((module) => module !== undefined);
}

function checked(info: ModuleInfo | undefined, path: string, version: string): ModuleInfo {
  if (info === undefined) throw modulesInvalid(`${path} is no module of a kernel`);
  if (info.version !== "" && info.version !== version)
    throw modulesInvalid(`the modules are for ${info.version}, and the kernel is ${version}`);
  return info;
}
