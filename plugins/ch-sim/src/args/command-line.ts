import { mostSimilar } from "./similar.ts";
import { OPTIONS, optionLabel, type OptionSpec } from "./table.ts";

/** The command line, taken apart. */
export interface CommandLine {
  /** The values of an option that was given, or its default; undefined where it has neither. */
  one(name: string): string | undefined;
  /** All values of an option, in order; undefined where it was not given. */
  many(name: string): readonly string[] | undefined;
  /** How often an option was given. */
  count(name: string): number;
}

/** Wrong usage: the text for standard error; the process ends with 2. */
export class UsageError extends Error {}

/** The help was asked for: its text; the process ends with 0, or with 2 where nothing at all was given. */
export class HelpRequest extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(helpText());
    this.exitCode = exitCode;
  }
}

const TRY_HELP = "For more information, try '--help'.\n";

/** Takes the arguments after the program's name apart. Throws UsageError or HelpRequest. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const given = new Map<string, string[]>();
  const counts = new Map<string, number>();
  const usage = () => usageLine([...counts.keys()]);
  let position = 0;
  let literal = false;

  const start = (option: OptionSpec): void => {
    if (option.name === "help") throw new HelpRequest(0);
    const times = (counts.get(option.name) ?? 0) + 1;
    if (times > 1 && option.counted !== true && option.arity !== "many") {
      fail(`the argument '${optionLabel(option)}' cannot be used multiple times`, usageLine([]));
    }
    counts.set(option.name, times);
  };

  // The option before still waits for more values, and is not counted among those that were used.
  const settled = (last: string): string[] => {
    const names = [...counts.keys()].filter((name) => name !== last);
    const waiting = OPTIONS.find((option) => option.name === names.at(-1));
    return [...(waiting?.arity === "none" ? names : names.slice(0, -1)), last];
  };

  const values = (option: OptionSpec, inline: string | undefined): void => {
    const list = given.get(option.name) ?? [];
    given.set(option.name, list);
    if (inline !== undefined) {
      if (option.arity === "none") {
        fail(
          `unexpected value '${inline}' for '--${option.name}' found; no more were expected`,
          attachedUsage(settled(option.name)),
        );
      }
      if (inline === "" && option.values !== undefined) failWithoutValue(option);
      list.push(check(option, inline));
      return;
    }
    if (option.arity === "none") return;
    const limit = option.arity === "many" ? Number.POSITIVE_INFINITY : 1;
    let taken = 0;
    for (; taken < limit && isValue(argv[position]); taken++)
      list.push(check(option, argv[position++] ?? ""));
    if (taken === 0 && option.arity === "optional") list.push("");
    else if (taken === 0) failWithoutValue(option);
  };

  while (position < argv.length) {
    const argument = argv[position++] ?? "";
    if (literal || !argument.startsWith("-") || argument === "-")
      fail(`unexpected argument '${argument}' found`, usage0());
    if (argument === "--") {
      literal = true;
      continue;
    }
    if (argument.startsWith("--")) {
      const equals = argument.indexOf("=");
      const name = argument.slice(2, equals < 0 ? undefined : equals);
      const option = OPTIONS.find((candidate) => candidate.name === name && candidate.name !== "v");
      if (option === undefined) unknown(`--${name}`, name);
      start(option);
      values(option, equals < 0 ? undefined : argument.slice(equals + 1));
      continue;
    }
    for (const letter of argument.slice(1)) {
      const option = OPTIONS.find((candidate) => candidate.short === letter);
      if (option === undefined) fail(`unexpected argument '-${letter}' found`, usage0());
      start(option);
    }
  }

  if (counts.size === 0) throw new HelpRequest(2);
  requirePayload(counts);

  return {
    one: (name) =>
      given.get(name)?.at(-1) ?? OPTIONS.find((option) => option.name === name)?.byDefault,
    many: (name) => given.get(name),
    count: (name) => counts.get(name) ?? 0,
  };

  function usage0(): string {
    return usageLine([]);
  }

  function unknown(argument: string, name: string): never {
    const longNames = OPTIONS.map((option) => option.name).filter((known) => known.length > 1);
    const similar = mostSimilar(name, longNames);
    if (similar !== undefined) {
      fail(
        `unexpected argument '${argument}' found\n\n  tip: a similar argument exists: '--${similar}'`,
        usageLine([similar]),
      );
    }
    fail(`unexpected argument '${argument}' found`, usage());
  }
}

function isValue(argument: string | undefined): boolean {
  return argument !== undefined && (!argument.startsWith("-") || argument === "-");
}

function check(option: OptionSpec, value: string): string {
  if (option.values !== undefined && !option.values.includes(value)) {
    fail(
      `invalid value '${value}' for '${optionLabel(option)}'\n  [possible values: ${option.values.join(", ")}]`,
    );
  }
  return value;
}

/** What describes a VM needs something to boot. */
function requirePayload(counts: ReadonlyMap<string, number>): void {
  if (counts.has("kernel") || counts.has("firmware") || counts.has("version")) return;
  const needing = [...counts.keys()].flatMap((name) =>
    OPTIONS.filter((option) => option.name === name && option.vm === true),
  );
  if (needing.length === 0) return;
  const missing = groupLabel(PAYLOAD);
  const labels = needing.map(optionLabel).join(" ");
  fail(
    `the following required arguments were not provided:\n  ${missing}`,
    `Usage: cloud-hypervisor ${labels} ${missing}`,
  );
}

function failWithoutValue(option: OptionSpec): never {
  const values =
    option.values === undefined ? "" : `\n  [possible values: ${option.values.join(", ")}]`;
  fail(`a value is required for '${optionLabel(option)}' but none was supplied${values}`);
}

const PAYLOAD = OPTIONS.filter(({ name }) => name === "firmware" || name === "kernel");

function groupLabel(options: readonly OptionSpec[]): string {
  return `<${options.map(optionLabel).join("|")}>`;
}

/** The usage that is shown for a flag with a value: a group stands for those of its options that were used. */
function attachedUsage(names: readonly string[]): string {
  const used = names.slice(0, -1);
  const groups = [PAYLOAD, OPTIONS.filter((option) => option.vm === true)].filter((group) =>
    group.some(({ name }) => used.includes(name)),
  );
  const rest = names.filter((name) => groups.every((group) => group.every((o) => o.name !== name)));
  const labels = OPTIONS.filter((option) => rest.includes(option.name)).map(optionLabel);
  return `Usage: cloud-hypervisor ${[...labels, ...groups.map(groupLabel)].join(" ")}`;
}

function usageLine(names: readonly string[]): string {
  const labels = names.flatMap((name) => {
    const option = OPTIONS.find((candidate) => candidate.name === name);
    return option === undefined ? [] : [optionLabel(option)];
  });
  return `Usage: cloud-hypervisor ${labels.length === 0 ? "[OPTIONS]" : labels.join(" ")}`;
}

function fail(message: string, usage?: string): never {
  throw new UsageError(
    `error: ${message}\n\n${usage === undefined ? "" : `${usage}\n\n`}${TRY_HELP}`,
  );
}

function helpText(): string {
  const lines = OPTIONS.map((option) => {
    const short =
      option.short === undefined
        ? "    "
        : `-${option.short}${option.name === option.short ? "" : ", "}`;
    const head =
      option.name === "v"
        ? "  -v..."
        : `  ${short}  ${optionLabel(option)}`.replace(/^ {2}(-\w,) {3}/, "  $1 ");
    const byDefault = option.byDefault === undefined ? "" : ` [default: ${option.byDefault}]`;
    return `${head}\n          ${option.help}${byDefault}`;
  });
  return `Launch a VMM that only simulates.\n\nUsage: cloud-hypervisor [OPTIONS]\n\nOptions:\n${lines.join("\n")}\n`;
}
