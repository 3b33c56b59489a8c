import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** The names, versions and licenses of the packages of others that modules are from. */
export async function licensesOf(modules: Iterable<string>): Promise<string> {
  const roots = new Set<string>();
  for (const path of modules) {
    const root = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0];
    if (root !== undefined) roots.add(root);
  }
  const sections = await Promise.all([...roots].map(describe));
  return sections.toSorted().join(`\n${"-".repeat(80)}\n\n`);
}

async function describe(root: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  const file = (await readdir(root)).find((name) => /^licen[cs]e(\.|$)/i.test(name));
  const text =
    file === undefined
      ? `License: ${manifest.license}\n`
      : await readFile(join(root, file), "utf8");
  return `${manifest.name} ${manifest.version}\n\n${text.trim()}\n`;
}
