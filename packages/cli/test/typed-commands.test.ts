import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "@oclif/core/command";
import { parse } from "@oclif/core/parser";
import { expect, it } from "vitest";
import { vmRunFlags } from "../src/flags/vm-spec.ts";
import { globalFlagsLast } from "../src/global-flags-last.ts";
import { dashesBeforeImage, flagsOfVm } from "../src/run/image-last.ts";
import { documentedCommands } from "./support/documented-commands.ts";
import { silkCommands } from "./support/shell-words.ts";

interface Manifest {
  readonly commands: Readonly<
    Record<
      string,
      {
        readonly hidden?: boolean;
        readonly aliases: readonly string[];
        readonly relativePath: readonly string[];
        readonly examples?: readonly (string | { readonly command: string })[];
      }
    >
  >;
}

const packageRoot = join(import.meta.dirname, "..");
const { commands } = JSON.parse(
  await readFile(join(packageRoot, "oclif.manifest.json"), "utf8"),
) as Manifest;
const names = new Map(
  Object.entries(commands).flatMap(([id, { aliases }]) =>
    [id, ...aliases].map((name) => [name, id] as const),
  ),
);
/** What begins like a command line and is none: help is oclif's, the other is what the simulated guest greets with. */
const others = new Set(["help", "guest ready"]);

/** Words that stand for something: their values are not looked at. */
const standsFor = /^(?:…|\.\.\.|\[.*|\(.*|<.*|[A-Z]+\.\.\.)$/;

/** Why silk would not take a command line; undefined where it would. */
async function refusal(words: readonly string[], named: boolean): Promise<string | undefined> {
  const argv = asGiven(globalFlagsLast(words));
  if (argv.some((word) => ["--help", "-h", "--version"].includes(word))) return isKnown(argv);
  const vague = named || argv.some((word) => standsFor.test(word));
  let length = argv.length;
  while (length > 0 && !names.has(argv.slice(0, length).join(":"))) length--;
  if (length === 0) return vague ? isKnown(argv) : `there is no command ${argv.join(" ")}`;
  const id = names.get(argv.slice(0, length).join(":"))!;
  const rest = argv.slice(length).filter((word) => !standsFor.test(word));
  const command = await load(id);
  const flags = { ...command.baseFlags, ...command.flags };
  if (vague) return unknownFlag(rest, flags);
  try {
    await parse([...rest], { args: command.args, flags, strict: command.strict });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** As the parser is given it: what is behind IMAGE is no flag of silk. */
function asGiven(argv: readonly string[]): readonly string[] {
  const from = flagsOfVm(argv);
  return from === undefined ? argv : dashesBeforeImage(argv, from, vmRunFlags);
}

/** Whether a flag is named that the command has not. */
function unknownFlag(words: readonly string[], flags: Command.Class["flags"]): string | undefined {
  const known = Object.entries(flags).flatMap(([name, { char, aliases = [] }]) => [
    ...[name, ...aliases].map((long) => `--${long}`),
    `-${char}`,
  ]);
  const dashes = words.indexOf("--");
  return words
    .slice(0, dashes === -1 ? words.length : dashes)
    .flatMap((word) =>
      /^-[a-z]{2,}$/.test(word) ? Array.from(word.slice(1), (one) => `-${one}`) : [word],
    )
    .filter((word) => /^--?[a-z]/.test(word) && !known.includes(word.split("=")[0]!))
    .map((word) => `there is no flag ${word}`)[0];
}

/** Whether the words are the beginning of a command's, as those of a topic are. */
function isKnown(argv: readonly string[]): string | undefined {
  const topic = argv.filter((word) => /^[a-z]/.test(word)).join(":");
  const known = [...names.keys()].some((name) => `${name}:`.startsWith(topic && `${topic}:`));
  return known ? undefined : `there is neither a topic nor a command ${topic}`;
}

async function load(id: string): Promise<Command.Class> {
  const path = commands[id]!.relativePath.join("/").replace(/^dist/, "../src").replace(/js$/, "ts");
  const { default: command } = (await import(/* @vite-ignore */ path)) as {
    readonly default: Command.Class;
  };
  return command;
}

it("every command line in the pages is one that silk takes", async () => {
  const documented = documentedCommands();
  expect(documented.length).toBeGreaterThan(150);
  const refused: string[] = [];
  for (const { where, words, named } of documented) {
    // `silk TOPIC COMMAND` tells of the form, and means no command.
    if (/^[A-Z]+$/.test(words[0]!) || others.has(words.join(" "))) continue;
    const why = await refusal(words, named);
    if (why !== undefined) refused.push(`${where}: silk ${words.join(" ")}: ${why}`);
  }
  expect(refused).toEqual([]);
});

it.each(Object.entries(commands).filter(([, { hidden }]) => hidden !== true))(
  "the examples of %s are ones that silk takes, and show that command",
  async (id, { examples = [] }) => {
    expect(examples.length).toBeGreaterThan(0);
    const refused: string[] = [];
    for (const example of examples) {
      const line = typeof example === "string" ? example : example.command;
      const found = silkCommands(line);
      const shows = found.some((words) => {
        const typed = words.join(":");
        return [id, ...commands[id]!.aliases].some((name) => `${typed}:`.startsWith(`${name}:`));
      });
      if (!shows) refused.push(`${line}: does not show silk ${id.replaceAll(":", " ")}`);
      for (const words of found) {
        const why = await refusal(words, false);
        if (why !== undefined) refused.push(`${line}: ${why}`);
      }
    }
    expect(refused).toEqual([]);
  },
);
