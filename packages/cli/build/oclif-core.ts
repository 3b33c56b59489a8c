import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import type { Plugin } from "esbuild";
import { runtime } from "./common.ts";
import { lazyRequires } from "./lazy-requires.ts";
import { oclifPatches, oclifReplacements } from "./patches.ts";

/**
 * Trims @oclif/core on its way into the bundle: modules are loaded when they are first used, and some places are written anew. A
 * place that is not found exactly once means another version of @oclif/core than the one this was written for: the build fails.
 */
export function trimOclif(packageRoot: string): Plugin {
  const core = dirname(
    createRequire(join(packageRoot, "noop.js")).resolve("@oclif/core/package.json"),
  );
  const applied = new Set<object>();
  return {
    name: "trim-oclif",
    setup(build) {
      build.onLoad({ filter: /\/@oclif\/core\/lib\/.*\.js$/ }, async ({ path }) => {
        const file = relative(core, path);
        let text = await readFile(path, "utf8");
        for (const patch of oclifPatches.filter((candidate) => candidate.file === file)) {
          const parts = text.split(patch.from);
          if (parts.length !== 2)
            throw new Error(
              `${path} is not what the patch was written for (${patch.why}): ${JSON.stringify(patch.from)} is there ${parts.length - 1} times`,
            );
          text = parts.join(patch.to);
          applied.add(patch);
        }
        return { contents: lazyRequires(text), loader: "js" };
      });
      build.onResolve({ filter: /.*/ }, ({ path, importer }) => {
        if (path.startsWith("oclif:"))
          return { path: join(core, "lib", `${path.slice("oclif:".length)}.js`) };
        const file = relative(core, importer);
        const replacement = oclifReplacements.find(
          (candidate) => candidate.file === file && candidate.specifier === path,
        );
        if (replacement === undefined) return undefined;
        applied.add(replacement);
        return { path: join(runtime, replacement.by) };
      });
      build.onEnd(() => {
        const left = [...oclifPatches, ...oclifReplacements].filter(
          (change) => !applied.has(change),
        );
        if (left.length === 0) return {};
        return {
          errors: left.map((change) => ({
            text: `the change of @oclif/core's ${change.file} was not applied: ${JSON.stringify(change)}`,
          })),
        };
      });
    },
  };
}
