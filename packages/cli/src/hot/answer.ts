import { renderVersion } from "../version-view.ts";
import { hasColor } from "../output/color.ts";
import { readHotCommand, type HotCommand } from "./command-line.ts";
import { isPlainEnvironment, isPlainOclif } from "./environment.ts";
import { listVms } from "./list-query.ts";
import { findRootDir } from "./root-dir.ts";
import { isTerminal } from "./terminal.ts";
import { writeOutput } from "./write.ts";

/**
 * Answers a command line without oclif, where it is certain that oclif would answer the same.
 * @returns whether it did. Where not, another way is free: nothing has been done but a write that failed
 */
export function answer(argv: readonly string[], silkVersion: string): boolean {
  const command = readHotCommand(argv);
  if (command === undefined || !isPlainEnvironment(process.env)) return false;
  // Some versions of Node warn of their SQLite. `main` keeps their warnings, too, from people who do not debug.
  process.removeAllListeners("warning");
  try {
    // Throws where the directory is gone, which oclif warns of.
    process.cwd();
    if (!isPlainOclif(process.env)) return false;
    const output = makeOutput(command, silkVersion);
    if (output === undefined) return false;
    writeOutput(output);
    return true;
  } catch {
    return false;
  }
}

function makeOutput(
  command: HotCommand,
  silk: string,
): readonly (string | Uint8Array)[] | undefined {
  const onTerminal = isTerminal(1);
  if (command.command === "version") {
    const { versions, platform, arch } = process;
    return [
      renderVersion(
        { silk, node: versions.node, platform, arch },
        { json: command.json, pretty: onTerminal },
      ),
    ];
  }
  const rootDir = findRootDir(process.env, process.getuid?.() ?? 0);
  if (rootDir === undefined) return undefined;
  const view = { json: command.json, quiet: command.quiet, pretty: onTerminal, nowMs: Date.now() };
  if (!onTerminal) return listVms(rootDir, view, false);
  const { stdout } = process;
  return listVms(rootDir, { ...view, width: stdout.columns, color: hasColor(stdout) }, true);
}
