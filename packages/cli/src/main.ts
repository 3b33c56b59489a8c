import { reportFailure } from "./exit.ts";
import { guardOutput } from "./output/guard.ts";
import { tellWarnings } from "./process-warnings.ts";

const versionFlags: ReadonlySet<string | undefined> = new Set(["--version", "-v", "-V"]);

/**
 * Runs the program to its end: the command, whatever it throws as the user is told it, and the exit code. Does not return.
 * @param argv the words after `silk`
 * @param root any path inside of the package that holds the commands
 */
export async function main(argv: readonly string[], root: string): Promise<never> {
  const fail = async (error: unknown): Promise<never> => end(await reportFailure(error, argv));
  guardOutput((error) => void fail(error));
  process.on("uncaughtException", (error) => void fail(error));
  process.on("unhandledRejection", (error) => void fail(error));
  tellWarnings();
  try {
    const [{ run }, { settings }, { reportHookFailures }] = await Promise.all([
      import("@oclif/core/run"),
      import("@oclif/core/settings"),
      import("./hook-failures.ts"),
    ]);
    // A NODE_ENV of the user's own is no reason to look for our sources, or a plugin's.
    settings.enableAutoTranspile = false;
    reportHookFailures();
    await run(versionFlags.has(argv[0]) ? ["version", ...argv.slice(1)] : [...argv], root);
  } catch (error) {
    return await fail(error);
  }
  return end(Number(process.exitCode ?? 0));
}

/** Ends at once: an idle connection that still keeps the event loop alive is no reason to stay. Pipes and files are written synchronously. */
function end(exitCode: number): never {
  process.exit(exitCode);
}
