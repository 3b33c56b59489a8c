import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import type { Interfaces } from "@oclif/core";
import { packages } from "silk:packages";
import { packageRoot } from "./root.ts";

/** A package whose commands, hooks and help are in the bundle, with what oclif would otherwise read from its files. */
export interface BundledPackage {
  readonly name: string;
  readonly pjson: Interfaces.PJSON;
  /** Its commands have no flags. */
  readonly manifest: Interfaces.Manifest;
  /** The flags of each command: most of a manifest, and asked for by few. */
  readonly flags: Readonly<Record<string, () => Interfaces.Manifest["commands"][string]["flags"]>>;
  /** By the path inside of the package. */
  readonly modules: Readonly<Record<string, () => Promise<unknown>>>;
}

/** The package of silk itself. */
export const ownPackage = packages[0] as BundledPackage;

/** The bundled package that oclif would find under this name from this directory. */
export function bundledPlugin(name: string, from: string): BundledPackage | undefined {
  return from === packageRoot ? packages.find((bundled) => bundled.name === name) : undefined;
}

/** Where a bundled package is installed: looked up as oclif does it, only later, as few commands ask for it. */
export function installedRoot(name: string): string {
  if (name === ownPackage.name) return packageRoot;
  let directory = dirname(createRequire(join(packageRoot, "noop.js")).resolve(name));
  while (!directory.endsWith(basename(name))) directory = dirname(directory);
  return directory;
}
