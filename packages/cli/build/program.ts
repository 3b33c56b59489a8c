import { join } from "node:path";
import { build, type OutputFile, type Plugin } from "esbuild";
import { common, ownPlaces, runtime, silkModules } from "./common.ts";
import { trimOclif } from "./oclif-core.ts";
import { isBundled, namedModules, type OclifPackage } from "./packages.ts";

/** Modules that few commands need: each is a file of its own beside the program, so that the others need not read it. */
const apart: readonly { readonly specifier: string; readonly file: string }[] = [
  { specifier: "undici/lib/dispatcher/client.js", file: "undici-client" },
  { specifier: "minimatch", file: "minimatch" },
  { specifier: "tinyglobby", file: "tinyglobby" },
  { specifier: "lilconfig", file: "lilconfig" },
  { specifier: "cli-spinners", file: "cli-spinners" },
];

/** Bundles the whole program, each command of it evaluated when it is run, into `program.cjs` and the files that it loads when it must. */
export async function bundleProgram(
  packageRoot: string,
  packages: readonly OclifPackage[],
  outdir: string,
): Promise<readonly OutputFile[]> {
  const found = new Map<string, string>();
  const program = await build({
    ...common,
    entryPoints: [join(runtime, "program.ts")],
    outfile: join(outdir, "program.cjs"),
    plugins: [
      trimOclif(packageRoot),
      silkModules(packageRoot, { "silk:packages": packagesModule(packages) }),
      ownPlaces(),
      setApart(found),
    ],
    write: false,
  });
  const others = await Promise.all(
    [...found].map(([file, entry]) =>
      build({
        ...common,
        entryPoints: [entry],
        outfile: join(outdir, `${file}.cjs`),
        write: false,
      }),
    ),
  );
  return [program, ...others].flatMap(({ outputFiles }) => outputFiles);
}

function setApart(found: Map<string, string>): Plugin {
  return {
    name: "set-apart",
    setup(bundler) {
      bundler.onResolve({ filter: /^[a-z]/ }, async ({ path, pluginData, ...from }) => {
        const entry = apart.find(({ specifier }) => specifier === path);
        if (entry === undefined || pluginData === "resolving") return undefined;
        found.set(
          entry.file,
          (await bundler.resolve(path, { ...from, pluginData: "resolving" })).path,
        );
        return { path: entry.file, namespace: "apart" };
      });
      bundler.onResolve({ filter: /^\.\//, namespace: "apart" }, ({ path }) => ({
        path,
        external: true,
      }));
      bundler.onLoad({ filter: /.*/, namespace: "apart" }, ({ path }) => ({
        contents: `module.exports = require("./${path}.cjs");`,
        loader: "js",
      }));
    },
  };
}

function packagesModule(packages: readonly OclifPackage[]): string {
  const described = packages.map((oclifPackage) => {
    const modules = (isBundled(oclifPackage) ? namedModules(oclifPackage) : []).map(
      (path) =>
        `${JSON.stringify(path)}: () => import(${JSON.stringify(join(oclifPackage.root, path))})`,
    );
    return `{
  name: ${JSON.stringify(oclifPackage.name)},
  pjson: ${parsed(oclifPackage.pjson)},
  manifest: ${parsed(oclifPackage.manifest)},
  modules: { ${modules.join(", ")} },
}`;
  });
  return `export const packages = [${described.join(", ")}];\n`;
}

/** JSON in a string is parsed several times faster than the same as an object literal. */
function parsed(value: unknown): string {
  return `JSON.parse(${JSON.stringify(JSON.stringify(value))})`;
}
