import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import type { Interfaces } from "@oclif/core";
import { packages } from "silk:packages";

/** A package whose commands, hooks and help are in the bundle, with what oclif would otherwise read from its files. */
export interface BundledPackage {
  readonly name: string;
  readonly pjson: Interfaces.PJSON;
  readonly manifest: Interfaces.Manifest;
  /** By the path inside of the package. */
  readonly modules: Readonly<Record<string, () => Promise<unknown>>>;
}

/** The directory of silk's own package: the bundle is in its `dist/bundle`. */
export const packageRoot: string = dirname(dirname(__dirname));

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
