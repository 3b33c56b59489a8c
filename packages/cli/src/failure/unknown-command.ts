import { type CliError, usageError } from "../cli-error.ts";
import { nearest } from "./suggest.ts";

/** What is known of the commands: the part of oclif's configuration that is needed here. */
interface KnownCommands {
  readonly commands: readonly { readonly id: string; readonly hidden?: boolean }[];
}

/**
 * The error for words that are no command: says which word is wrong, and which was most likely meant.
 * @param id the words as oclif has them, joined by colons
 * @param argv the words as they were typed, which may have colons of their own
 */
export function unknownCommand(
  id: string,
  { commands }: KnownCommands,
  argv: readonly string[] = [],
): CliError {
  const ids = commands.filter(({ hidden }) => hidden !== true).map((command) => command.id);
  const words = typedWords(id, argv) ?? id.split(":");
  const command = longestPrefix(words, (prefix) => ids.includes(prefix));
  if (command.length > 0) {
    const used = command.join(" ");
    return usageError(
      `\`silk ${used}\` takes no argument ${JSON.stringify(words[command.length])}`,
      `\`silk ${used} --help\` shows how it is used.`,
    );
  }
  const topic = longestPrefix(words, (prefix) =>
    ids.some((known) => known.startsWith(`${prefix}:`)),
  );
  const typed = words[topic.length] ?? "";
  const start = topic.map((word) => `${word}:`).join("");
  const candidates = new Set(
    ids
      .filter((known) => known.startsWith(start))
      .map((known) => known.slice(start.length).split(":")[0] as string),
  );
  const meant = nearest(typed, candidates);
  const shown = ["silk", ...topic].join(" ");
  return usageError(
    `there is no command "${[...topic, typed].join(" ")}"`,
    meant === undefined
      ? `\`${shown} --help\` shows the commands.`
      : `Did you mean \`${shown} ${meant}\`?`,
  );
}

function typedWords(id: string, argv: readonly string[]): readonly string[] | undefined {
  const count = argv.findIndex((_word, index) => argv.slice(0, index + 1).join(":") === id) + 1;
  return count === 0 ? undefined : argv.slice(0, count);
}

function longestPrefix(
  words: readonly string[],
  test: (prefix: string) => boolean,
): readonly string[] {
  for (let length = words.length - 1; length > 0; length -= 1)
    if (test(words.slice(0, length).join(":"))) return words.slice(0, length);
  return [];
}
