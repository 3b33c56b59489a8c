import type { Config } from "@oclif/core/config";
import type { VmSummary } from "@silkvm/core";
import { openEngine } from "../engine.ts";
import type { GlobalFlags } from "../flags/global.ts";
import { type Candidate, complete } from "./complete.ts";
import { type Directive, joinBashWords, renderCandidates, type Shell } from "./shells.ts";

/** Completes the last of the words that were typed after `silk`. */
export async function answerCompletion(
  shell: Shell,
  typed: readonly string[],
  oclif: Config,
): Promise<string> {
  const words = shell === "bash" ? joinBashWords(typed) : typed;
  const current = words.at(-1) ?? "";
  const answer = (candidates: readonly Candidate[], directive: Directive = ":nothing"): string =>
    renderCandidates(shell, current, candidates, directive);
  const completion = complete(words, oclif.commands, oclif.topics);
  switch (completion.type) {
    case "words":
      return answer(completion.candidates);
    case "files":
      return answer([], ":files");
    case "directories":
      return answer([], ":directories");
    case "settings": {
      const { configKeys } = await import("@silkvm/core");
      return answer(configKeys.map((value) => ({ value, description: "" })));
    }
    case "vms": {
      const vms = await listVms(words, oclif).catch(() => []);
      const fitting = vms.filter(
        (vm) => fits(completion.command, vm) && !completion.given.includes(vm.name),
      );
      return answer([
        ...fitting.map(({ name, state }) => ({ value: name, description: state })),
        ...(current === ""
          ? []
          : fitting.map(({ id, name }) => ({ value: id, description: name }))),
      ]);
    }
    default:
      return answer([]);
  }
}

/** Whether a command makes sense for a VM as it is. */
function fits(command: string, { state }: VmSummary): boolean {
  if (command === "vm:start") return state !== "running";
  if (command === "vm:stop" || command === "vm:console") return state === "running";
  return true;
}

async function listVms(words: readonly string[], oclif: Config): Promise<readonly VmSummary[]> {
  const value = (flag: string): string | undefined => {
    const at = words.indexOf(flag);
    return at === -1
      ? words.find((word) => word.startsWith(`${flag}=`))?.slice(flag.length + 1)
      : words[at + 1];
  };
  const flags: GlobalFlags = {
    "root-dir": value("--root-dir"),
    config: value("--config"),
    "log-level": "silent",
    json: false,
    "no-wait": true,
  };
  await using open = await openEngine(flags, oclif);
  return await open.engine.list();
}
