import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const root: string = join(import.meta.dirname, "../..");

export interface Page {
  /** Its path in the repository. */
  readonly path: string;
  readonly text: string;
}

/** All pages of the repository. */
export const pages: readonly Page[] = globSync(
  [
    "*.md",
    "docs/**/*.md",
    "{packages,plugins,examples}/**/README.md",
    "test-e2e/{guest,src,bench}/**/*.md",
  ],
  { cwd: root, exclude: ["**/node_modules/**"] },
)
  .sort()
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
