import { join } from "node:path";
import { run } from "./run.ts";

/** Kept from run to run, so that nothing is fetched twice. */
export const cacheDirectory: string = join(import.meta.dirname, "../node_modules/.cache");

/** Runs npm as a user would, but for its cache. */
export function npm(args: readonly string[], cwd: string): Promise<string> {
  const quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--prefer-offline"];
  return run("npm", [...args, ...quiet, "--cache", join(cacheDirectory, "npm")], {
    cwd,
    // What pnpm and vitest set for those whom they start would make npm another one.
    env: { npm_config_user_agent: "", NODE_ENV: "", NODE_OPTIONS: "" },
  });
}
