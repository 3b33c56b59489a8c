import { unlinkSync } from "node:fs";

import { HelpRequest, parseCommandLine, UsageError } from "./args/command-line.ts";
import { debugText, errorChain, VmmError, Panic } from "./errors.ts";
import { log, print, printError } from "./log.ts";
import { settings, SettingsError } from "./settings.ts";
import { startVmm } from "./start.ts";

/** Runs the program to its end. The arguments are those after the program's name. */
export async function run(argv: readonly string[]): Promise<void> {
  process.umask(0o077);
  try {
    settings();
    const line = parseCommandLine(argv);
    if (line.count("version") > 0) {
      print(`cloud-hypervisor ${settings().buildVersion}\nMigration Protocol Versions: 0\n`);
      if (line.count("v") > 0) print('Enabled features: ["io_uring", "kvm"]\n');
      return;
    }
    const socket = await startVmm(line);
    if (socket !== undefined) removeSocket(socket);
    process.exit(0);
  } catch (error) {
    process.exit(report(error));
  }
}

/** Tells what went wrong, and gives the exit code for it. */
function report(error: unknown): number {
  if (error instanceof HelpRequest) {
    if (error.exitCode === 0) print(error.message);
    else printError(error.message);
    return error.exitCode;
  }
  if (error instanceof UsageError) {
    printError(error.message);
    return 2;
  }
  if (error instanceof SettingsError) {
    printError(`ch-sim: ${error.message}\n`);
    return 2;
  }
  if (error instanceof Panic) {
    printError(
      `\nthread 'vmm' (${process.pid}) panicked at ${error.location}:\n${error.message}\nnote: run with \`RUST_BACKTRACE=1\` environment variable to display a backtrace\n`,
    );
    return reportChain(
      new VmmError(
        "ThreadJoin",
        "Failed to join on VMM thread: Any { .. }",
        undefined,
        "(Any { .. })",
      ),
    );
  }
  if (error instanceof VmmError) return reportChain(error);
  printError(
    `ch-sim: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 101;
}

function reportChain(error: VmmError): number {
  log("main", "ERROR", "cloud-hypervisor/src/lib.rs:24", `Fatal error: ${debugText(error)}`);
  const chain = errorChain(error);
  if (chain.length === 1) {
    printError(`Error: Cloud Hypervisor exited with the following error:\n  ${chain[0]}\n`);
  } else {
    const lines = chain.map((message, level) => `  ${level}: ${message}\n`);
    printError(
      `Error: Cloud Hypervisor exited with the following chain of errors:\n${lines.join("")}`,
    );
  }
  return 1;
}

function removeSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Closing it has removed it, or somebody else has.
  }
}
