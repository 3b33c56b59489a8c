import { join } from "node:path";
import { build } from "esbuild";
import { type Bundled, common, runtime, silkModules } from "./common.ts";
import type { OclifPackage } from "./packages.ts";

/** Events of oclif whose hooks run around every command. */
const aroundCommands = ["init", "preparse", "prerun", "postrun", "finally"];

/**
 * Bundles the launcher, which answers some commands by itself. It runs no hooks, so it is refused where a package that comes with silk
 * has some that would have run.
 */
export async function bundleLauncher(
  packageRoot: string,
  packages: readonly OclifPackage[],
  outdir: string,
): Promise<Bundled> {
  for (const { name, pjson } of packages)
    for (const event of aroundCommands)
      if (pjson.oclif.hooks?.[event] !== undefined)
        throw new Error(`${name} has a hook "${event}": the launcher would leave it out`);
  const [own] = packages;
  return await build({
    ...common,
    external: ["./program.cjs"],
    entryPoints: [join(runtime, "launcher.ts")],
    outfile: join(outdir, "launcher.cjs"),
    plugins: [
      silkModules(packageRoot, {
        "silk:facts": `export const silkVersion = ${JSON.stringify(own?.pjson.version)};`,
      }),
    ],
  });
}
