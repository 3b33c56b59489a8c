import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** A piece of code in the plugin author's guide that says which file it is of. */
export interface GuideCode {
  /** `templates/…` is a part of a template, `package.json` is added to what is there, and everything else is a file that the reader writes. */
  readonly file: string;
  readonly text: string;
}

/** The code of the guide, in its order. */
export function readGuide(): readonly GuideCode[] {
  const guide = readFileSync(join(root, "docs/plugins.md"), "utf8");
  return [...guide.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm)].map(
    ([, file = "", text = ""]) => ({ file, text }),
  );
}

/** Does what a reader of the guide does to the package that `silk plugins create silk-fast` has written. */
export function followGuide(directory: string): void {
  for (const { file, text } of readGuide()) {
    if (file.startsWith("templates/")) continue;
    const path = join(directory, file);
    mkdirSync(dirname(path), { recursive: true });
    if (file !== "package.json") writeFileSync(path, text);
    else {
      const before: unknown = JSON.parse(readFileSync(path, "utf8"));
      writeFileSync(path, `${JSON.stringify(merge(before, JSON.parse(text)), undefined, 2)}\n`);
    }
  }
}

/** Objects member by member; everything else is replaced. */
function merge(before: unknown, added: unknown): unknown {
  if (!isObject(before) || !isObject(added)) return added;
  const merged = { ...before };
  for (const [key, value] of Object.entries(added)) merged[key] = merge(before[key], value);
  return merged;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
