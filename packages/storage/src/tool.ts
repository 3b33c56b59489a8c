import { type CallOptions, type Host, SilkError } from "@silkvm/core";
import { diskFull } from "./space.ts";

/** A program that silk has others do a job with, and where users get it. */
export interface Tool {
  readonly command: string;
  /** Code of the error where it is not there. */
  readonly missingCode: string;
  /** Code of the error where it fails. */
  readonly failedCode: string;
  readonly debianPackage: string;
}

/**
 * Runs a program to its end and returns what it printed.
 * @param doing what it does, as the beginning of an error's message: `formatting /d/cow.raw`
 * @throws SilkError the tool's `missingCode` and `failedCode`, and `DISK_FULL`
 */
export async function runTool(
  host: Host,
  tool: Tool,
  args: readonly string[],
  doing: string,
  {
    signal,
    timeoutMs,
    env = {},
  }: CallOptions & {
    /** Default: that of the host port. */
    readonly timeoutMs?: number | undefined;
    /** Added to this process's environment. */
    readonly env?: Readonly<Record<string, string>> | undefined;
  } = {},
): Promise<string> {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  if (variables.length > 0) await checkTool(host, tool, doing);
  const result = await host.processes
    .run({
      ...(variables.length > 0
        ? { command: "env", args: [...variables, tool.command, ...args] }
        : { command: tool.command, args }),
      signal,
      timeoutMs,
    })
    .catch((error: unknown) => {
      throw isNoEntry(error) ? missing(tool, doing, error) : error;
    });
  if (result.exitCode === 0) return result.stdout;
  const said = result.stderr.trim() || result.stdout.trim();
  const details = { command: [tool.command, ...args], exitCode: result.exitCode, stderr: said };
  const message = `${doing}: ${tool.command} failed${said === "" ? ` with exit code ${result.exitCode}` : `: ${said}`}`;
  if (said.includes("No space left on device")) throw diskFull(message, { details });
  throw new SilkError(message, { code: tool.failedCode, kind: "failed", details });
}

/** Checks that a program is there, for what must be known before anything is made. */
export async function checkTool(host: Host, tool: Tool, doing: string): Promise<void> {
  if ((await host.processes.which(tool.command)) === undefined) throw missing(tool, doing);
}

function missing(tool: Tool, doing: string, cause?: unknown): SilkError {
  return new SilkError(`${doing}: the program ${tool.command} is not installed`, {
    code: tool.missingCode,
    kind: "unavailable",
    hint: `Install it: \`apt install ${tool.debianPackage}\` on Debian and Ubuntu.`,
    details: { command: tool.command, package: tool.debianPackage },
    cause,
  });
}

function isNoEntry(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === "ENOENT";
}
