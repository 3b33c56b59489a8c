import { isSilkError, type Orphan } from "@silkvm/core";
import type { CheckContext } from "../context.ts";
import type { Check } from "../finding.ts";
import { silentDirectory } from "../responds.ts";

const shown = 3;

/** Whether something is left that no VM owns. */
export const orphans: Check = {
  id: "orphans",
  title: "orphans",
  group: "silk",
  async run(context) {
    const { rootDir, runDir, logDir } = context.config;
    const silent = await silentDirectory(context, rootDir, runDir, logDir);
    if (silent !== undefined) return silent;
    const foreign: string[] = [];
    const found = await findOrphans(context, (warning) => foreign.push(warning));
    if (typeof found === "string") return { status: "skipped", evidence: found };
    if (found.length === 0 && foreign.length > 0)
      return {
        status: "warning",
        evidence: foreign.slice(0, shown).join(", "),
        why: "What an earlier store has left may be wanted still, so silk does not remove it.",
        fix: {
          description: "Put that store back, or remove by hand what is not wanted.",
          automatic: false,
        },
      };
    if (found.length === 0) return { status: "ok", evidence: "none" };
    const more = found.length > shown ? `, and ${found.length - shown} more` : "";
    return {
      status: "warning",
      evidence: `${found
        .slice(0, shown)
        .map(({ name, why }) => `${name} (${why})`)
        .join(", ")}${more}`,
      why: "They take room, memory or names, and no VM needs them.",
      fix: { command: "silk gc", description: "Remove them.", automatic: true },
    };
  },
  async repair({ engine, signal }) {
    const removed = (await engine?.gc({ signal })) ?? [];
    return removed.length === 0
      ? "nothing was left to remove"
      : `removed ${removed.map(({ name }) => name).join(", ")}`;
  },
};

/** The orphans, or why they cannot be found. */
async function findOrphans(
  { engine, signal }: CheckContext,
  onWarning: (warning: string) => void,
): Promise<readonly Orphan[] | string> {
  if (engine === undefined) return "there is no engine to ask";
  try {
    return await engine.gc({ dryRun: true, signal, onWarning });
  } catch (error) {
    if (isSilkError(error) && (error.code.startsWith("STORE_") || error.kind === "denied"))
      return `cannot be looked for: ${error.message}`;
    throw error;
  }
}
