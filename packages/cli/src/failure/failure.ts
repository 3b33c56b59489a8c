import type { SilkErrorJson, SilkErrorKind } from "@silkvm/core";
import { CliError } from "../cli-error.ts";
import { readOclifError } from "./oclif-errors.ts";

/** Each kind's exit code. Core has the same table; this one is here so that a typo is refused without loading core. */
const exitCodes: Readonly<Record<SilkErrorKind, number>> = {
  invalid: 2,
  "not-found": 3,
  conflict: 4,
  busy: 4,
  unsupported: 5,
  timeout: 6,
  aborted: 130,
  denied: 1,
  unavailable: 1,
  failed: 1,
  internal: 1,
};

/** What became of a command that did not succeed. */
export interface Failure {
  readonly exitCode: number;
  /** Undefined where there is nothing to say: the program asked to end. */
  readonly error?: SilkErrorJson | undefined;
  readonly stack?: string | undefined;
}

const brand = Symbol.for("silkvm.error");

interface Branded extends Error {
  toJSON(): SilkErrorJson;
}

/**
 * Makes of any thrown value what is printed of it, and the exit code.
 * @param commandId the command of ours that threw it; undefined where it was a plugin's, or oclif itself
 */
export async function toFailure(thrown: unknown, commandId?: string): Promise<Failure> {
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  if (isBranded(thrown)) return failureOf(thrown.toJSON(), stack);
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
  return failureOf(await otherErrorJson(thrown ?? new Error("nothing was said of why")), stack);
}

/** What was not thrown on purpose. Core knows the errors of the operating system; where it is core that cannot be loaded, do without. */
async function otherErrorJson(thrown: unknown): Promise<SilkErrorJson> {
  try {
    const { toSilkError } = await import("@silkvm/core");
    return toSilkError(thrown).toJSON();
  } catch {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return { code: "INTERNAL", kind: "internal", message, retryable: false };
  }
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

function isBranded(thrown: unknown): thrown is Branded {
  return (
    typeof thrown === "object" &&
    thrown !== null &&
    (thrown as Record<symbol, unknown>)[brand] === true
  );
}

/** The code of an error that only means "end now", as `this.exit(0)` of a command throws. */
function requestedExit(thrown: unknown): number | undefined {
  const { code, oclif } = (thrown ?? {}) as { code?: unknown; oclif?: { exit?: unknown } };
  return code === "EEXIT" && typeof oclif?.exit === "number" ? oclif.exit : undefined;
}
