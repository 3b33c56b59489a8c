import { SilkError } from "../errors.ts";
import type { Host } from "../host.ts";

/** The program of a VMM. */
export interface VmmProgram {
  /** A name on PATH, or a path. */
  readonly command: string;
  /** What a user can do where it is missing: where it comes from, and how it is named. */
  readonly hint: string;
}

/**
 * The absolute path of a VMM's program.
 * @throws SilkError `VMM_NOT_FOUND`
 */
export async function findVmmProgram(host: Host, program: VmmProgram): Promise<string> {
  const { command } = program;
  const path = await host.processes.which(command);
  if (path !== undefined) return path;
  const isThere = command.includes("/") && (await host.files.stat(command)) !== undefined;
  throw vmmNotFound(program, isThere ? { reason: `${command} is not executable` } : {});
}

/** The error for a VMM that is not there, or cannot be run. */
export function vmmNotFound(
  { command, hint }: VmmProgram,
  { reason, cause }: { readonly reason?: string; readonly cause?: unknown } = {},
): SilkError {
  const missing = command.includes("/")
    ? `there is no program ${command}`
    : `the program ${command} is not on PATH`;
  return new SilkError(reason ?? missing, {
    code: "VMM_NOT_FOUND",
    kind: "unavailable",
    hint,
    details: { command },
    cause,
  });
}
