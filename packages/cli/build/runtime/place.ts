import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "./root.ts";

/** Where a module of one of our packages is installed: what `import.meta.url` is outside of the bundle. */
export function silkPlace(packageName: string, path: string): string {
  const manifest = createRequire(join(packageRoot, "noop.js")).resolve(
    `${packageName}/package.json`,
  );
  return pathToFileURL(join(dirname(manifest), path)).href;
}
