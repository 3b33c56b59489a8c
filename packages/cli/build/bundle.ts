import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleLauncher } from "./launcher.ts";
import { lazyBuiltins } from "./lazy-builtins.ts";
import { readPackages } from "./packages.ts";
import { bundleProgram } from "./program.ts";

const packageRoot = join(import.meta.dirname, "..");
const outdir = join(packageRoot, "dist/bundle");
const packages = await readPackages(packageRoot);
const files = [
  ...(await bundleProgram(packageRoot, packages, outdir)),
  ...(await bundleLauncher(packageRoot, packages, outdir)),
];
await rm(outdir, { recursive: true, force: true });
await mkdir(outdir, { recursive: true });
for (const { path, text } of files) await writeFile(path, lazyBuiltins(text));
