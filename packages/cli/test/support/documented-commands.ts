import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { silkCommands } from "./shell-words.ts";

/** A command line that somebody will type from a page. */
export interface DocumentedCommand {
  /** File and line. */
  readonly where: string;
  readonly words: readonly string[];
  /** In running text: a topic or a command may be named without what it needs. */
  readonly named: boolean;
}

const root = join(import.meta.dirname, "../../../..");
const shellFences = new Set(["sh", "bash", "shell", "console", "zsh", "fish", ""]);

/** All command lines of silk in the pages of the repository. */
export function documentedCommands(): readonly DocumentedCommand[] {
  const pages = globSync(
    ["*.md", "docs/**/*.md", "{packages,plugins,examples}/**/README.md", ".changeset/*.md"],
    { cwd: root, exclude: ["**/node_modules/**", "packages/cli/templates/**"] },
  );
  return pages.flatMap((page) => commandsIn(page, readFileSync(join(root, page), "utf8")));
}

function commandsIn(page: string, text: string): DocumentedCommand[] {
  const found: DocumentedCommand[] = [];
  let fence: string | undefined;
  let continued = "";
  const add = (line: string, number: number, named: boolean): void => {
    for (const words of silkCommands(line))
      if (words.length > 0) found.push({ where: `${page}:${number}`, words, named });
  };
  for (const [i, line] of text.split("\n").entries()) {
    const mark = /^\s*```(\w*)/.exec(line);
    if (mark !== null) {
      fence = fence === undefined ? mark[1] : undefined;
      continue;
    }
    const isShell = fence === undefined ? /^ {4}\S/.test(line) : shellFences.has(fence);
    if (isShell) {
      // A prompt, and an explanation in a column of its own, are no part of a command.
      const typed = line
        .trim()
        .replace(/^\$ /, "")
        .split(/ {3,}(?!#)/)[0]!;
      if (typed.endsWith("\\")) continued += typed.slice(0, -1);
      else {
        add(continued + typed, i + 1, false);
        continued = "";
      }
    } else if (fence === undefined)
      for (const [, code] of line.matchAll(/`(silk [^`]+)`/g)) add(code!, i + 1, true);
  }
  return found;
}
