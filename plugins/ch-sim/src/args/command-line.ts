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

  const values = (option: OptionSpec, inline: string | undefined): void => {
    const list = given.get(option.name) ?? [];
    given.set(option.name, list);
    if (inline !== undefined) {
      if (option.arity === "none") {
        fail(
          `unexpected value '${inline}' for '--${option.name}' found; no more were expected`,
          usage(),
        );
      }
      list.push(check(option, inline));
      return;
    }
    if (option.arity === "none") return;
    const limit = option.arity === "many" ? Number.POSITIVE_INFINITY : 1;
    let taken = 0;
    for (; taken < limit && isValue(argv[position]); taken++)
      list.push(check(option, argv[position++] ?? ""));
    if (taken === 0 && option.arity === "optional") list.push("");
    else if (taken === 0)
      fail(`a value is required for '${optionLabel(option)}' but none was supplied`);
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
    const similar = OPTIONS.find(
      (option) => option.name.length > 1 && isSimilar(option.name, name),
    );
    if (similar !== undefined) {
      const label = `--${similar.name}`;
      fail(
        `unexpected argument '${argument}' found\n\n  tip: a similar argument exists: '${label}'`,
        usageLine([similar.name]),
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
  const needing = OPTIONS.filter((option) => option.vm === true && counts.has(option.name));
  if (needing.length === 0) return;
  const missing = "<--firmware <firmware>|--kernel <kernel>>";
  const labels = needing.map(optionLabel).join(" ");
  fail(
    `the following required arguments were not provided:\n  ${missing}`,
    `Usage: cloud-hypervisor ${labels} ${missing}`,
  );
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

/** Whether one name is the other with its end missing or one letter changed. */
function isSimilar(known: string, given: string): boolean {
  if (given.length < 3) return false;
  if (known.startsWith(given) || given.startsWith(known))
    return Math.abs(known.length - given.length) <= 2;
  if (known.length !== given.length) return false;
  let different = 0;
  for (let at = 0; at < known.length; at++) if (known[at] !== given[at]) different++;
  return different === 1;
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
