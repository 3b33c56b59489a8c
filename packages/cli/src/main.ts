import { isDebugging, reportFailure } from "./exit.ts";
import { CliError } from "./cli-error.ts";
import { guardOutput, isReaderGone } from "./output/guard.ts";
import { tellWarnings } from "./process-warnings.ts";

const versionFlags: ReadonlySet<string | undefined> = new Set(["--version", "-v", "-V"]);

/**
 * Runs the program to its end: the command, whatever it throws as the user is told it, and the exit code. Does not return.
 * @param argv the words after `silk`
 * @param root any path inside of the package that holds the commands
 */
export async function main(argv: readonly string[], root: string): Promise<never> {
  let words = argv;
  // What ends the program first is what is told: one fault often shows in several places at once.
  const ended = Promise.withResolvers<() => number>();
  const fail = (error: unknown): void => ended.resolve(() => reportFailure(error, words));
  guardOutput((error) => {
    // Nothing more can be printed there, not even JSON.
    ended.resolve(() => reportFailure(outputFailure(error), []));
  });
  process.on("uncaughtException", (error) => {
    // oclif listens on stdout, too, and throws what it does not know.
    if (!isReaderGone(error)) fail(error);
  });
  process.on("unhandledRejection", fail);
  // What the command waits for can come no more: to end by itself would be to end with success.
  process.once("beforeExit", () =>
    fail(new TypeError("nothing is left that could end the command")),
  );
  tellWarnings(isDebugging(argv));
  const run = async (): Promise<number> => {
    words = await toOclif(argv);
    return await runCommand(words, root);
  };
  run().then((exitCode) => ended.resolve(() => exitCode), fail);
  const conclude = await ended.promise;
  // An idle connection that still keeps the event loop alive is no reason to stay. Pipes and files are written synchronously.
  process.exit(conclude());
}

async function runCommand(argv: readonly string[], root: string): Promise<number> {
  const [{ run }, { settings }, { reportHookFailures }, { tameCommands }] = await Promise.all([
    import("@oclif/core/run"),
    import("@oclif/core/settings"),
    import("./hook-failures.ts"),
    import("./plugins/tame-commands.ts"),
  ]);
  // A NODE_ENV of the user's own is no reason to look for our sources, or a plugin's.
  settings.enableAutoTranspile = false;
  reportHookFailures();
  tameCommands();
  await run([...argv], root);
  await flushed();
  return Number(process.exitCode ?? 0);
}

/** The words as oclif is given them. */
async function toOclif(argv: readonly string[]): Promise<string[]> {
  if (versionFlags.has(argv[0])) return ["version", ...argv.slice(1)];
  const { splitGlobalFlags, globalFlagsLast } = await import("./global-flags-last.ts");
  const { flags = [], command = argv } = splitGlobalFlags(argv) ?? {};
  if (command[0] !== "vm" && command[0]?.startsWith("vm:") !== true)
    return [...globalFlagsLast(argv)];
  const { flagsOfVm, dashesBeforeImage } = await import("./run/image-last.ts");
  const from = flagsOfVm(command);
  if (from === undefined) return [...globalFlagsLast(argv)];
  const { vmRunFlags } = await import("./flags/vm-spec.ts");
  const words = [...command.slice(0, from), ...flags, ...command.slice(from)];
  return [...dashesBeforeImage(words, from, vmRunFlags)];
}

/** Resolves once it is known what became of everything that was printed. */
async function flushed(): Promise<void> {
  await new Promise<void>((resolve) => process.stdout.write("", () => setImmediate(resolve)));
}

function outputFailure(error: Error): CliError {
  return new CliError(`cannot write to stdout: ${error.message}`, {
    code: "OUTPUT_FAILED",
    kind: "failed",
  });
}
