import { join } from "node:path";
import type { CallOptions, Host } from "@silkvm/core";
import { isDeb } from "./deb.ts";
import { modulesInvalid } from "./errors.ts";
import { type KernelPackage, openKernelPackage } from "./kernel-package.ts";
import { parseKernelConfig } from "./kernel-config.ts";
import { findModules, type ModuleFiles, readWhole } from "./module-files.ts";
import { prepareKernel, type PreparedKernel } from "./prepare-kernel.ts";

/** A kernel that is to be imported, besides its file. */
export interface ImportKernelOptions extends CallOptions {
  /** What it is known by. Default: its version. */
  readonly name?: string | undefined;
  /** A directory such as /lib/modules/VERSION, or a tar or .deb with one in it. Without any, all must be built into the kernel. */
  readonly modules?: string | undefined;
  /** A static busybox to boot with, where the host's is not to be taken. */
  readonly busybox?: string | undefined;
}

/** Reads a kernel that a user names, with its modules. @throws SilkError as `importKernel` */
export async function openKernel(
  host: Host,
  source: string,
  request: ImportKernelOptions & { readonly architecture: string; readonly directory: string },
): Promise<PreparedKernel> {
  const { modules, directory, architecture, signal } = request;
  const own = (await isPackage(host, source))
    ? await openKernelPackage(host, await host.files.realpath(source), directory, { signal })
    : undefined;
  if (own !== undefined && own.kernel === undefined)
    throw modulesInvalid(`the package ${source} has no kernel in it`, {
      hint: "Take that of the kernel's image: linux-image-VERSION….deb",
    });
  const question = {
    bytes: own?.kernel ?? (await readWhole(host, await host.files.realpath(source))),
    what: `the kernel ${source}`,
    architecture,
    signal,
    findModules: async (version: string) =>
      modules === undefined
        ? own?.modules
        : await openModules(host, modules, version, directory, signal),
    findConfig: async () => (own?.config === undefined ? undefined : parseKernelConfig(own.config)),
  };
  return await prepareKernel(host, question, directory);
}

async function isPackage(host: Host, path: string): Promise<boolean> {
  const stat = await host.files.stat(path);
  return stat?.kind === "file" && (await isDeb(host, path));
}

/** The modules of a version in what somebody names. @throws SilkError `MODULES_INVALID` */
async function openModules(
  host: Host,
  path: string,
  version: string,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<ModuleFiles> {
  const stat = await host.files.stat(path);
  const found =
    stat?.kind === "directory"
      ? await findModules(host, await moduleDirectory(host, path, version), { signal })
      : stat?.kind === "file"
        ? (await openArchive(host, path, directory, signal)).modules
        : undefined;
  if (found === undefined || (found.paths.size === 0 && found.builtIn === undefined))
    throw modulesInvalid(`there are no modules in ${path}`);
  return found;
}

/** The directory itself, or that of the version below it. */
async function moduleDirectory(host: Host, path: string, version: string): Promise<string> {
  for (const at of ["lib/modules", "usr/lib/modules", "."]) {
    const below = join(path, at, version);
    if ((await host.files.stat(below))?.kind === "directory") return below;
  }
  return path;
}

async function openArchive(
  host: Host,
  path: string,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<KernelPackage> {
  const at = join(directory, "modules");
  await host.files.mkdir(at, { mode: 0o700 });
  return await openKernelPackage(host, await host.files.realpath(path), at, { signal });
}
