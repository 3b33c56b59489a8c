import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import type { Interfaces } from "@oclif/core";

/** A package with oclif commands, as it is installed here. */
export interface OclifPackage {
  readonly name: string;
  readonly root: string;
  readonly pjson: Interfaces.PJSON;
  readonly manifest: Interfaces.Manifest;
}

/** The package itself and the plugins that come with it, in the order of their names in its package.json. */
export async function readPackages(packageRoot: string): Promise<readonly OclifPackage[]> {
  const own = await readPackage(packageRoot);
  const names = (own.pjson.oclif.plugins ?? []) as readonly string[];
  return [
    own,
    ...(await Promise.all(names.map((name) => readPackage(findRoot(packageRoot, name))))),
  ];
}

async function readPackage(root: string): Promise<OclifPackage> {
  const pjson = (await readJson(join(root, "package.json"))) as Interfaces.PJSON;
  const manifest = (await readJson(join(root, "oclif.manifest.json"))) as Interfaces.Manifest;
  return { name: pjson.name, root, pjson, manifest };
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8"));
}

/** As oclif finds a plugin: from its entry upwards, as its package.json need not be exported. */
function findRoot(from: string, name: string): string {
  let directory = dirname(createRequire(join(from, "noop.js")).resolve(name));
  while (!directory.endsWith(basename(name))) directory = dirname(directory);
  return directory;
}

/** Paths inside of the package of the modules that oclif loads by name: commands, hooks, the help. */
export function namedModules({ pjson, manifest }: OclifPackage): readonly string[] {
  const { hooks = {}, helpClass } = pjson.oclif;
  const commands = Object.values(manifest.commands).map(({ relativePath }) =>
    (relativePath ?? []).join("/"),
  );
  const others = [...Object.values(hooks).flat(), ...(helpClass === undefined ? [] : [helpClass])];
  const targets = others.map((entry) => {
    if (typeof entry !== "string")
      throw new Error(
        `only the default export of a hook or help module can be bundled: ${JSON.stringify(entry)}`,
      );
    return entry.replace(/^\.\//, "");
  });
  return [...new Set([...commands, ...targets])];
}
