import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import type { Plugin } from "esbuild";
import { runtime } from "./common.ts";
import { lazyRequires } from "./lazy-requires.ts";
import { dependencyReplacements, oclifPatches, oclifReplacements } from "./patches.ts";

/** How the stand-in of a dependency of @oclif/core names the real one. */
const dependency = "oclif:node_modules/";

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
    setup(bundler) {
      bundler.onLoad({ filter: /\/@oclif\/core\/lib\/.*\.js$/ }, async ({ path }) => {
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
      bundler.onResolve({ filter: /.*/ }, ({ path, importer }) => {
        if (path.startsWith(dependency))
          return bundler.resolve(path.slice(dependency.length), {
            resolveDir: core,
            kind: "require-call",
          });
        if (path.startsWith("oclif:"))
          return { path: join(core, "lib", `${path.slice("oclif:".length)}.js`) };
        const file = relative(core, importer);
        const replacement = oclifReplacements.find(
          (candidate) => candidate.file === file && candidate.specifier === path,
        );
        const change =
          replacement ??
          dependencyReplacements.find(
            (candidate) =>
              candidate.specifier === path &&
              importer.includes(`/node_modules/${candidate.importer}`),
          );
        if (change === undefined) return undefined;
        applied.add(change);
        const by = join(runtime, change.by);
        return change.isFunction === true ? { path: by, namespace: "function" } : { path: by };
      });
      bundler.onLoad({ filter: /.*/, namespace: "function" }, ({ path }) => ({
        contents: `module.exports = require(${JSON.stringify(path)}).default;`,
        loader: "js",
        resolveDir: runtime,
      }));
      bundler.onEnd(() => {
        const left = [...oclifPatches, ...oclifReplacements, ...dependencyReplacements].filter(
          (change) => !applied.has(change),
        );
        if (left.length === 0) return {};
        return {
          errors: left.map((change) => ({
            text: `a change of @oclif/core was not applied: ${JSON.stringify(change)}`,
          })),
        };
      });
    },
  };
}
