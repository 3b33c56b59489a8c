import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Main from "silk:dist/main";
import { answer } from "silk:dist/hot/answer";
import { silkVersion } from "silk:facts";
import type * as Program from "./program.ts";
import { packageRoot } from "./root.ts";

const argv = process.argv.slice(2);

/**
 * Whether the program is to be run from its own files and its dependencies', as it was written and published, instead of from the
 * bundle: by people who debug, whose stacks then name those files; and by tests, with SILK_PLAIN, which compare the two.
 */
function wantsPlain(): boolean {
  const { env } = process;
  if (env["SILK_PLAIN"] || env["DEBUG"] || env["SILK_DEBUG"]) return true;
  if (env["NODE_ENV"] === "development" || env["NODE_ENV"] === "test") return true;
  if (
    env["SILK_LOG_LEVEL"] === "debug" ||
    argv.includes("debug") ||
    argv.includes("--log-level=debug")
  )
    return true;
  return Object.keys(env).some((name) => name.startsWith("OCLIF_"));
}

if (!answer(argv, silkVersion)) {
  if (wantsPlain()) {
    const main = pathToFileURL(join(packageRoot, "dist/main.js")).href;
    void import(main).then((plain: typeof Main) => plain.main(argv, packageRoot));
  } else (require("./program.cjs") as typeof Program).run(argv);
}
