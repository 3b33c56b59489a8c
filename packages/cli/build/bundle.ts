import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleLauncher } from "./launcher.ts";
import { lazyBuiltins } from "./lazy-builtins.ts";
import { licensesOf } from "./licenses.ts";
import { readPackages } from "./packages.ts";
import { bundleProgram } from "./program.ts";

const packageRoot = join(import.meta.dirname, "..");
const outdir = join(packageRoot, "dist/bundle");
const made = `${outdir}.${process.pid}`;
const packages = await readPackages(packageRoot);
const bundled = [
  ...(await bundleProgram(packageRoot, packages, made)),
  await bundleLauncher(packageRoot, packages, made),
];
await mkdir(made, { recursive: true });
for (const { outputFiles } of bundled)
  for (const { path, text } of outputFiles) await writeFile(path, lazyBuiltins(text));
const modules = bundled.flatMap(({ metafile }) => Object.keys(metafile.inputs));
await writeFile(join(made, "LICENSES.txt"), await licensesOf(modules));
// Whoever runs the program meanwhile finds all of the old one, or all of the new one.
await rm(outdir, { recursive: true, force: true });
await rename(made, outdir);
