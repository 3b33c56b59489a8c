import { readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { BuildOptions, BuildResult, Plugin } from "esbuild";

/** Where what is bundled besides the packages is. */
export const runtime: string = join(import.meta.dirname, "runtime");

/** What all files of the bundle have in common. */
export const common = {
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node24",
  // Names stay: classes and functions are called by them in messages. What is left out is what only people read.
  minifyWhitespace: true,
  minifySyntax: true,
  // What has to be said of the authors is in a file of its own.
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  external: ["typescript", "pnpapi"],
  write: false,
} as const satisfies BuildOptions;

/** Files of the bundle that are not written yet, and what they are made of. */
export type Bundled = BuildResult<{ readonly metafile: true; readonly write: false }>;

/** Lets `silk:dist/x` be a built module of the package, and `silk:…` anything that is made for the bundle. */
export function silkModules(packageRoot: string, made: Readonly<Record<string, string>>): Plugin {
  return {
    name: "silk-modules",
    setup(bundler) {
      bundler.onResolve({ filter: /^silk:dist\// }, ({ path }) => ({
        path: join(packageRoot, `${path.slice("silk:".length)}.js`),
      }));
      bundler.onResolve({ filter: /^silk:/ }, ({ path }) =>
        Object.hasOwn(made, path) ? { path, namespace: "silk" } : undefined,
      );
      bundler.onLoad({ filter: /.*/, namespace: "silk" }, ({ path }) => ({
        contents: made[path] as string,
        loader: "js",
        resolveDir: packageRoot,
      }));
    },
  };
}

/**
 * Gives each module of ours that asks for its own place (`import.meta.url`) the place that it has outside of the bundle: what it looks
 * for from there, such as a native library, is found where its package is installed.
 */
export function ownPlaces(): Plugin {
  return {
    name: "own-places",
    setup(bundler) {
      bundler.onLoad({ filter: /\/dist\/.*\.js$/ }, async ({ path }) => {
        if (path.includes("/node_modules/")) return undefined;
        const text = await readFile(path, "utf8");
        if (!text.includes("import.meta")) return undefined;
        const root = path.slice(0, path.lastIndexOf("/dist/"));
        const { name } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
          name: string;
        };
        const place = `silkPlace(${JSON.stringify(name)}, ${JSON.stringify(relative(root, path))})`;
        const contents = text.replaceAll("import.meta.url", place);
        if (contents.includes("import.meta"))
          throw new Error(`${path}: only import.meta.url can be bundled`);
        return {
          contents: `import { silkPlace } from "silk:place";\n${contents}`,
          loader: "js",
          resolveDir: dirname(path),
        };
      });
      bundler.onResolve({ filter: /^silk:place$/ }, () => ({ path: join(runtime, "place.ts") }));
    },
  };
}
