import { join } from "node:path";
import type { Host } from "@silkvm/core";
import { type KernelConfig, parseKernelConfig } from "./kernel-config.ts";

/** Where a machine has its kernels. */
export interface KernelPlaces {
  /** `vmlinuz-VERSION` and `config-VERSION`. */
  readonly bootDir: string;
  /** A directory for each version. */
  readonly modulesDir: string;
}

export const defaultPlaces: KernelPlaces = { bootDir: "/boot", modulesDir: "/lib/modules" };

export interface HostKernel {
  readonly version: string;
  readonly path: string;
}

/** The kernels of this machine, the newest first. */
export async function findHostKernels(
  host: Host,
  { bootDir, modulesDir }: KernelPlaces,
): Promise<readonly HostKernel[]> {
  const found = new Map<string, string>();
  for (const name of await host.files.list(bootDir)) {
    const [, version] = /^vmlinuz-(.+)$/.exec(name) ?? [];
    if (version !== undefined && !/\.(?:old|bak|dpkg-\w+|rpmsave)$/.test(version))
      found.set(version, join(bootDir, name));
  }
  for (const version of await host.files.list(modulesDir)) {
    const path = join(modulesDir, version, "vmlinuz");
    if (!found.has(version) && (await host.files.stat(path))?.kind === "file")
      found.set(version, path);
  }
  return [...found]
    .map(([version, path]) => ({ version, path }))
    .sort((a, b) => b.version.localeCompare(a.version, "en", { numeric: true }));
}

/** How a kernel of this machine was built, where that is there to be read. */
export async function findHostConfig(
  host: Host,
  { bootDir, modulesDir }: KernelPlaces,
  version: string,
): Promise<KernelConfig | undefined> {
  for (const path of [join(bootDir, `config-${version}`), join(modulesDir, version, "config")])
    if (await host.files.canAccess(path, "read").catch(() => false))
      return parseKernelConfig(await host.files.readText(path));
  return undefined;
}
