import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The commands of the quick start that need nothing but what they install, as a script. What they install is there already. */
export function quickStart(): string {
  const page = readFileSync(join(import.meta.dirname, "../../docs/quick-start.md"), "utf8");
  const [, look = ""] = /^## A look[^\n]*\n([\s\S]*?)^## /m.exec(page) ?? [];
  const blocks = [...look.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
  return blocks.join("").replaceAll(/^npm install .*$/gm, "");
}
