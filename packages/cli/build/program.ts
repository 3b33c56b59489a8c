import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { type Bundled, common, ownPlaces, runtime, silkModules } from "./common.ts";
import { trimOclif } from "./oclif-core.ts";
import { namedModules, type OclifPackage } from "./packages.ts";

/** Modules that not all commands need: each is a file of its own beside the program, so that the others need not read it. */
const apart: readonly { readonly specifier: string; readonly file: string }[] = [
  { specifier: "@silkvm/core", file: "core" },
  { specifier: "@silkvm/storage", file: "storage" },
  { specifier: "@silkvm/sys", file: "sys" },
  { specifier: "@silkvm/cloud-hypervisor", file: "cloud-hypervisor" },
  { specifier: "@silkvm/images", file: "images" },
  { specifier: "@silkvm/netresize", file: "netresize" },
  { specifier: "@silkvm/network", file: "network" },
  { specifier: "undici/lib/dispatcher/client.js", file: "undici-client" },
  { specifier: "undici", file: "undici" },
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
): Promise<readonly Bundled[]> {
  const made = { "silk:packages": packagesModule(packages) };
  const waiting = new Map([["program", join(runtime, "program.ts")]]);
  const bundled: Bundled[] = [];
  for (const [file, entry] of waiting) {
    const isProgram = file === "program";
    const result = await build({
      ...common,
      entryPoints: [entry],
      outfile: join(outdir, `${file}.cjs`),
      plugins: [
        ...(isProgram ? [trimOclif(packageRoot)] : []),
        silkModules(packageRoot, made),
        ownPlaces(),
        setApart(file, waiting),
      ],
    });
    bundled.push(result);
  }
  return bundled;
}

/** Lets a module be loaded from its own file, which is added to those that wait for being bundled. */
function setApart(own: string, waiting: Map<string, string>): Plugin {
  return {
    name: "set-apart",
    setup(bundler) {
      bundler.onResolve({ filter: /^[@a-z]/ }, async ({ path, pluginData, ...from }) => {
        const entry = apart.find(({ specifier }) => specifier === path);
        if (entry === undefined || entry.file === own || pluginData === "resolving")
          return undefined;
        if (!waiting.has(entry.file))
          waiting.set(
            entry.file,
            (await bundler.resolve(path, { ...from, pluginData: "resolving" })).path,
          );
        return { path: entry.file, namespace: "apart" };
      });
      bundler.onResolve({ filter: /^\.\//, namespace: "apart" }, ({ path }) => ({
        path,
        external: true,
      }));
      bundler.onLoad({ filter: /.*/, namespace: "apart" }, async ({ path }) => ({
        contents: await passOn(path, waiting.get(path) as string),
        loader: "js",
      }));
    },
  };
}

/** The text of a module that has the exports of another one, which is in a file of its own. */
async function passOn(file: string, entry: string): Promise<string> {
  const load = `require("./${file}.cjs")`;
  if (entry.includes("/node_modules/")) return `module.exports = ${load};`;
  // Ours are ES modules. Without their names, who imports one would get all of it as its default export.
  const names = Object.keys((await import(pathToFileURL(entry).href)) as object);
  const exported = names.map((name) =>
    name === "default"
      ? "export default loaded.default;"
      : `export const ${name} = loaded.${name};`,
  );
  return `const loaded = ${load};\n${exported.join("\n")}`;
}

function packagesModule(packages: readonly OclifPackage[]): string {
  const described = packages.map((oclifPackage) => {
    const modules = namedModules(oclifPackage).map(
      (path) =>
        `${JSON.stringify(path)}: () => import(${JSON.stringify(join(oclifPackage.root, path))})`,
    );
    const { manifest } = oclifPackage;
    const commands = Object.entries(manifest.commands);
    const flags = commands.map(
      ([id, command]) => `${JSON.stringify(id)}: () => ${parsed(command.flags)}`,
    );
    return `{
  name: ${JSON.stringify(oclifPackage.name)},
  pjson: ${parsed(oclifPackage.pjson)},
  manifest: ${parsed({ ...manifest, commands: Object.fromEntries(commands.map(([id, { flags: _flags, ...command }]) => [id, command])) })},
  flags: { ${flags.join(", ")} },
  modules: { ${modules.join(", ")} },
}`;
  });
  return `export const packages = [${described.join(", ")}];\n`;
}

/** JSON in a string is parsed several times faster than the same as an object literal. */
function parsed(value: unknown): string {
  return `JSON.parse(${JSON.stringify(JSON.stringify(value))})`;
}
