import { globalFlags } from "../flags/global.ts";

interface KnownFlag {
  readonly type: "boolean" | "option";
  readonly char?: string | undefined;
  readonly aliases?: readonly string[] | undefined;
}

/** Commands whose words behind IMAGE are those of a container's program. */
const commands: ReadonlySet<string | undefined> = new Set(["run", "create", "debug"]);

/** Where the flags of `silk vm run` and the like begin; undefined for any other command line. */
export function flagsOfVm(argv: readonly string[]): number | undefined {
  if (argv[0] === "vm" && commands.has(argv[1])) return 2;
  const [topic, name] = argv[0]?.split(":") ?? [];
  return topic === "vm" && commands.has(name) ? 1 : undefined;
}

/**
 * A command line of `silk vm run` and the like as the parser takes it: with `--` in front of IMAGE, so that what is behind it is the program's, flags included.
 * A `--` right behind IMAGE only says the same once more, and is left out.
 * @param from where the flags begin
 */
export function dashesBeforeImage(
  argv: readonly string[],
  from: number,
  flags: Readonly<Record<string, KnownFlag>>,
): readonly string[] {
  const known = { ...globalFlags, ...flags } as Readonly<Record<string, KnownFlag>>;
  let at = from;
  while (at < argv.length) {
    const word = argv[at] as string;
    if (word === "--") return argv;
    if (!word.startsWith("-") || word === "-") break;
    const taken = wordsOfFlag(word, known);
    // Whatever it is, the parser says what is wrong with it.
    if (taken === undefined) return argv;
    at += taken;
  }
  if (at >= argv.length) return argv;
  const [image = "", ...behind] = argv.slice(at);
  return [...argv.slice(0, at), "--", image, ...(behind[0] === "--" ? behind.slice(1) : behind)];
}

/** IMAGE and what is behind it, of the words that the parser was given. The parser itself would put them in another order. */
export function imageAndCommand(argv: readonly string[]): readonly string[] {
  const dashes = argv.indexOf("--");
  return dashes === -1 ? [] : argv.slice(dashes + 1);
}

/** How many words a flag takes with its value. */
function wordsOfFlag(word: string, known: Readonly<Record<string, KnownFlag>>): number | undefined {
  if (word.startsWith("--")) {
    const [name = ""] = word.slice(2).split("=", 1);
    if (name === "help") return 1;
    const flag =
      (Object.hasOwn(known, name) ? known[name] : undefined) ??
      Object.values(known).find(({ aliases }) => aliases?.includes(name));
    if (flag === undefined) return undefined;
    return flag.type === "boolean" || word.includes("=") ? 1 : 2;
  }
  // `-it` is two, of which only the last may have a value: in the same word, or in the next one.
  for (let at = 1; at < word.length; at++) {
    const flag = Object.values(known).find((one) => one.char === word[at]);
    if (flag === undefined) return undefined;
    if (flag.type === "option") return at === word.length - 1 ? 2 : 1;
  }
  return 1;
}
