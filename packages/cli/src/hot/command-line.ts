import type { CommandSpec, FlagSpec } from "../command-spec.ts";
import { listSpec } from "../list-spec.ts";
import { versionSpec } from "../version-spec.ts";

/** A command line that is answered without oclif, and its flags. */
export type HotCommand =
  | {
      readonly command: "list";
      readonly json: boolean;
      readonly quiet: boolean;
      readonly all: boolean;
    }
  | { readonly command: "version"; readonly json: boolean };

/** What `main` takes for the command `version`. */
const versionFlags: ReadonlySet<string | undefined> = new Set(["--version", "-v", "-V"]);

/**
 * Reads a command line that holds nothing but a hot command's words and its boolean flags, each at most once. Everything else is
 * undefined, and oclif's to understand or to refuse.
 */
export function readHotCommand(argv: readonly string[]): HotCommand | undefined {
  const versionFlag = versionFlags.has(argv[0]) ? readFlags(versionSpec, argv.slice(1)) : undefined;
  const version = versionFlag ?? readCommand(versionSpec, argv);
  if (version !== undefined) return { command: "version", json: version.has("json") };
  const list = readCommand(listSpec, argv);
  if (list === undefined) return undefined;
  return {
    command: "list",
    json: list.has("json"),
    quiet: list.has("quiet"),
    all: list.has("all"),
  };
}

function readCommand(spec: CommandSpec, argv: readonly string[]): ReadonlySet<string> | undefined {
  const name = [spec.name, ...spec.aliases].find((words) =>
    words.every((word, index) => argv[index] === word),
  );
  return name === undefined ? undefined : readFlags(spec, argv.slice(name.length));
}

function readFlags(spec: CommandSpec, words: readonly string[]): ReadonlySet<string> | undefined {
  const flags = new Set<string>();
  for (const word of words) {
    const name = word === "--json" ? "json" : booleanFlag(spec.flags, word);
    if (name === undefined || flags.has(name)) return undefined;
    flags.add(name);
  }
  return flags;
}

function booleanFlag(flags: Readonly<Record<string, FlagSpec>>, word: string): string | undefined {
  for (const [name, { type, char }] of Object.entries(flags))
    if (type === "boolean" && (word === `--${name}` || (char !== undefined && word === `-${char}`)))
      return name;
  return undefined;
}
