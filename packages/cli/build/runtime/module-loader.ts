import { relative } from "node:path";
import type { Interfaces } from "@oclif/core";
import * as oclif from "oclif:module-loader";
import { ownPackage } from "./packages.ts";
import { packageRoot } from "./root.ts";

type Owner = Interfaces.Config | Interfaces.Plugin;

/** oclif's loader of modules by their path; those of silk itself (its help, its hooks) come from the bundle. */
export async function load(owner: Owner, path: string): Promise<unknown> {
  return await (bundled(owner, path)?.() ?? oclif.load(owner, path));
}

/** The same, with what oclif wants to know of the module. */
export async function loadWithData(
  owner: Owner,
  path: string,
): Promise<{ filePath: string; isESM: boolean; module: unknown }> {
  const module = bundled(owner, path);
  if (module === undefined) return await oclif.loadWithData(owner, path);
  return { filePath: path, isESM: true, module: await module() };
}

function bundled(owner: Owner, path: string): (() => Promise<unknown>) | undefined {
  return owner.name === ownPackage.name
    ? ownPackage.modules[relative(packageRoot, path)]
    : undefined;
}
