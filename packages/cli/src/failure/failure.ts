import { exitCodes, isSilkError, type SilkErrorJson, toSilkError } from "@silkvm/core/errors";
import { CliError } from "../cli-error.ts";
import { readOclifError } from "./oclif-errors.ts";
import { inFlags } from "./spec-issues.ts";

/** What became of a command that did not succeed. */
export interface Failure {
  readonly exitCode: number;
  /** Undefined where there is nothing to say: the program asked to end. */
  readonly error?: SilkErrorJson | undefined;
  readonly stack?: string | undefined;
}

/**
 * Makes of any thrown value what is printed of it, and the exit code.
 * @param commandId the command of ours that threw it; undefined where it was a plugin's, or oclif itself
 */
export function toFailure(thrown: unknown, commandId?: string): Failure {
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  if (isSilkError(thrown)) return failureOf(inFlags(thrown.toJSON()), stack);
  const exitCode = requestedExit(thrown);
  if (exitCode !== undefined) return { exitCode };
  const known = thrown instanceof CliError ? thrown : readOclifError(thrown);
  if (known instanceof CliError) return failureOf(cliErrorJson(known, commandId), stack);
  if (known !== undefined) return { ...known, stack };
  // Plugins of oclif tell their users with plain errors what is wrong; ours are never plain.
  if (commandId === undefined && isPlain(thrown))
    return failureOf(
      { code: "FAILED", kind: "failed", message: thrown.message, retryable: false },
      stack,
    );
  return failureOf(toSilkError(thrown ?? new Error("nothing was said of why")).toJSON(), stack);
}

function isPlain(thrown: unknown): thrown is Error {
  return thrown instanceof Error && thrown.constructor === Error && !("code" in thrown);
}

function failureOf(error: SilkErrorJson, stack: string | undefined): Failure {
  return { exitCode: exitCodes[error.kind], error, stack };
}

function cliErrorJson(error: CliError, commandId: string | undefined): SilkErrorJson {
  const help =
    commandId === undefined
      ? "`silk help` shows the commands."
      : `\`silk ${commandId.replaceAll(":", " ")} --help\` shows how it is used.`;
  const hint = error.hint ?? (error.code === "USAGE" ? help : undefined);
  return {
    code: error.code,
    kind: error.kind,
    message: error.text,
    retryable: error.kind === "timeout" || error.kind === "aborted",
    ...(hint === undefined ? {} : { hint }),
    ...(error.details === undefined ? {} : { details: error.details }),
  };
}

/** The code of an error that only means "end now", as `this.exit(0)` of a command throws. */
function requestedExit(thrown: unknown): number | undefined {
  const { code, oclif } = (thrown ?? {}) as { code?: unknown; oclif?: { exit?: unknown } };
  return code === "EEXIT" && typeof oclif?.exit === "number" ? oclif.exit : undefined;
}
