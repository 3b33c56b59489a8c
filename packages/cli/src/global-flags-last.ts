import { globalFlags } from "./flags/global.ts";

/** A command line, and the global flags that stand before it. */
interface Split {
  readonly flags: readonly string[];
  readonly command: readonly string[];
}

/** Undefined where what begins the command line is no global flag. */
export function splitGlobalFlags(argv: readonly string[]): Split | undefined {
  let count = 0;
  while (argv[count]?.startsWith("--") === true) {
    const [name = "", value] = (argv[count] as string).slice(2).split("=", 2);
    const flag = Object.hasOwn(globalFlags, name)
      ? globalFlags[name as keyof typeof globalFlags]
      : undefined;
    if (flag === undefined || (flag.type === "boolean" && value !== undefined)) return undefined;
    count += flag.type === "boolean" || value !== undefined ? 1 : 2;
  }
  return { flags: argv.slice(0, count), command: argv.slice(count) };
}

/**
 * A command line whose global flags stand before the command (`silk --json vm list`), as the parser takes it: with the flags behind it.
 * What begins with anything else, or is no more than flags, is given back as it is.
 */
export function globalFlagsLast(argv: readonly string[]): readonly string[] {
  const { flags, command } = splitGlobalFlags(argv) ?? { flags: [], command: [] };
  if (flags.length === 0 || command.length === 0) return argv;
  const dashes = command.indexOf("--");
  const end = dashes === -1 ? command.length : dashes;
  return [...command.slice(0, end), ...flags, ...command.slice(end)];
}
