/** What completion needs to know of a flag. */
interface KnownFlag {
  readonly type: "boolean" | "option";
  readonly hidden?: boolean | undefined;
  readonly char?: string | undefined;
  readonly multiple?: boolean | undefined;
  readonly options?: readonly string[] | undefined;
  readonly aliases?: readonly string[] | undefined;
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
}

/** What completion needs to know of a command: a part of what oclif knows. */
export interface KnownCommand {
  /** Words joined by colons. */
  readonly id: string;
  readonly hidden?: boolean | undefined;
  readonly aliases: readonly string[];
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
  readonly flags: Readonly<Record<string, KnownFlag>>;
  readonly args: Readonly<
    Record<
      string,
      { readonly multiple?: boolean | undefined; readonly options?: readonly string[] | undefined }
    >
  >;
}

export interface KnownTopic {
  readonly name: string;
  readonly description?: string | undefined;
}

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What may stand where the cursor is. What depends on the machine is only named here. */
export type Completion =
  | { readonly type: "words"; readonly candidates: readonly Candidate[] }
  | { readonly type: "files" | "directories" | "nothing" }
  | {
      readonly type: "vms" | "snapshots" | "images";
      readonly command: string;
      readonly given: readonly string[];
    }
  | {
      readonly type: "devices";
      /** Name of the kind of device. */
      readonly kind: string;
      /** The flag that takes what a user calls one. */
      readonly flag: string;
      /** The VM that is named on the command line, so far. */
      readonly vm: string | undefined;
    }
  | {
      readonly type: "networks";
      /** The flag that names one; left out where any is named by its name. */
      readonly flag?: "bridge" | "network" | undefined;
      readonly given: readonly string[];
    }
  | { readonly type: "settings" | "pci" | "backends" }
  | { readonly type: "plugins"; readonly given: readonly string[] };

/** Flags that take a device of the VM: the kind of device, by the command and the flag. */
const deviceFlags: ReadonlyMap<string, string> = new Map([
  ["vm:disk:detach --name", "disk"],
  ["vm:device:detach --id", "vfio"],
  ["vm:fs:detach --tag", "virtiofs"],
]);

const fileFlags: ReadonlySet<string> = new Set([
  "socket",
  "kernel",
  "initrd",
  "firmware",
  "disk",
  "config",
  "output",
  "allow-path",
  "path",
  "ssh-key",
  "user-data",
  "env-from",
  "busybox",
]);
const directoryFlags: ReadonlySet<string> = new Set([
  "root-dir",
  "run-dir",
  "log-dir",
  "dir",
  "from-dir",
  "to-dir",
  "modules",
  "volume",
]);

/**
 * What may stand in the place of the last word.
 * @param words what was typed after `silk`, up to the cursor; the last one is the word at the cursor, perhaps empty
 */
export function complete(
  words: readonly string[],
  commands: readonly KnownCommand[],
  topics: readonly KnownTopic[],
): Completion {
  const typed = words.slice(0, -1);
  const current = words.at(-1) ?? "";
  const named = nameCommand(typed, commands, topics);
  const { command } = named;
  if (command === undefined)
    return current.startsWith("-")
      ? { type: "nothing" }
      : subcommands(named.prefix, commands, topics);
  const rest = typed.slice(named.length);
  const dashes = rest.includes("--");
  const valued = dashes ? undefined : optionFlag(rest.at(-1), command);
  if (valued !== undefined) return flagValue(command, rest, ...valued);
  if (!dashes && current.startsWith("-")) {
    const inline = current.includes("=") ? optionFlag(current.split("=")[0], command) : undefined;
    return inline === undefined ? flagNames(command, rest) : flagValue(command, rest, ...inline);
  }
  return positional(command, positionals(rest, command));
}

/** The command that the words name, how many words that took, and what was named where it is not complete. */
function nameCommand(
  words: readonly string[],
  commands: readonly KnownCommand[],
  topics: readonly KnownTopic[],
): {
  readonly command?: KnownCommand | undefined;
  readonly length: number;
  readonly prefix: string;
} {
  let prefix = "";
  let found: { command: KnownCommand; length: number; prefix: string } | undefined;
  for (const [index, word] of words.entries()) {
    const id = prefix === "" ? word : `${prefix}:${word}`;
    const command = commands.find((candidate) => candidate.id === id);
    const isTopic =
      topics.some(({ name }) => name === id) ||
      commands.some((other) => other.id.startsWith(`${id}:`));
    if (command === undefined && !isTopic) break;
    prefix = id;
    if (command !== undefined) found = { command, length: index + 1, prefix };
  }
  return found ?? { length: 0, prefix };
}

function subcommands(
  prefix: string,
  commands: readonly KnownCommand[],
  topics: readonly KnownTopic[],
): Completion {
  const start = prefix === "" ? "" : `${prefix}:`;
  const found = new Map<string, string>();
  for (const { id, hidden, aliases, summary, description } of commands) {
    if (hidden === true || aliases.includes(id) || !id.startsWith(start)) continue;
    const [word = "", ...deeper] = id.slice(start.length).split(":");
    if (deeper.length === 0) found.set(word, firstLine(summary ?? description));
    else if (!found.has(word))
      found.set(word, firstLine(topics.find(({ name }) => name === start + word)?.description));
  }
  return offer([...found].map(([value, description]) => ({ value, description })));
}

/** The flag that a word is, where it takes a value that is not in the word itself. */
function optionFlag(
  word: string | undefined,
  command: KnownCommand,
): [name: string, flag: KnownFlag] | undefined {
  if (word === undefined || !word.startsWith("-") || word.includes("=")) return undefined;
  return Object.entries(command.flags).find(
    ([name, flag]) =>
      flag.type === "option" &&
      (word === `--${name}` ||
        (flag.char !== undefined && word === `-${flag.char}`) ||
        flag.aliases?.some((alias) => word === `--${alias}`) === true),
  );
}

function flagValue(
  known: KnownCommand,
  rest: readonly string[],
  name: string,
  { options }: KnownFlag,
): Completion {
  const command = known.id;
  const kind = deviceFlags.get(`${command} --${name}`);
  if (kind !== undefined)
    return { type: "devices", kind, flag: name, vm: positionals(rest, known)[0] };
  if (options !== undefined) return offer(options.map((value) => ({ value, description: "" })));
  if (name === "vm") return { type: "vms", command, given: [] };
  if (name === "pci") return { type: "pci" };
  if (name === "backend") return { type: "backends" };
  if (name === "bridge" || name === "network") return { type: "networks", flag: name, given: [] };
  if (fileFlags.has(name)) return { type: "files" };
  return { type: directoryFlags.has(name) ? "directories" : "nothing" };
}

function flagNames(command: KnownCommand, given: readonly string[]): Completion {
  const free = Object.entries(command.flags).filter(
    ([name, { hidden, multiple }]) =>
      hidden !== true &&
      (multiple === true ||
        !given.some((word) => word === `--${name}` || word.startsWith(`--${name}=`))),
  );
  return offer([
    ...free.map(([name, { summary, description }]) => ({
      value: `--${name}`,
      description: firstLine(summary ?? description),
    })),
    { value: "--help", description: "show help" },
  ]);
}

/** The words that are neither flags nor their values. */
function positionals(rest: readonly string[], command: KnownCommand): readonly string[] {
  return rest.filter(
    (word, index) => !word.startsWith("-") && optionFlag(rest[index - 1], command) === undefined,
  );
}

function positional(command: KnownCommand, given: readonly string[]): Completion {
  const args = Object.entries(command.args);
  const last = args.at(-1);
  const [name, arg] = args[given.length] ?? (last?.[1].multiple === true ? last : []);
  if (name === undefined || arg === undefined) return { type: "nothing" };
  if (name === "vm") return { type: "vms", command: command.id, given };
  if (name === "snapshot") {
    const before = args.findIndex(([known]) => known === name);
    return { type: "snapshots", command: command.id, given: given.slice(before) };
  }
  if (name === "image") return { type: "images", command: command.id, given };
  if (name === "network") return { type: "networks", given };
  if (name === "plugin")
    // What can be installed is not known here: a file, or a name.
    return command.id === "plugins:install" ? { type: "files" } : { type: "plugins", given };
  if (name === "file") return { type: "files" };
  if (arg.options !== undefined)
    return offer(arg.options.map((value) => ({ value, description: "" })));
  return { type: command.id.startsWith("config:") && name === "key" ? "settings" : "nothing" };
}

function offer(candidates: readonly Candidate[]): Completion {
  return { type: "words", candidates };
}

function firstLine(text: string | undefined): string {
  return text?.split("\n", 1)[0] ?? "";
}
