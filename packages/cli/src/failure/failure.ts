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

/** Makes of any thrown value what is printed of it, and the exit code. */
export async function toFailure(thrown: unknown, commandId?: string): Promise<Failure> {
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  if (thrown instanceof CliError)
    return failureOf(cliErrorJson(thrown, thrown.text, commandId), stack);
  if (isBranded(thrown)) return failureOf(thrown.toJSON(), stack);
  const exit = requestedExit(thrown);
  if (exit !== undefined) return { exitCode: exit };
  const oclif = await readOclifError(thrown);
  if (oclif !== undefined) {
    if (oclif.usage)
      return failureOf(
        cliErrorJson(
          new CliError(oclif.message, { code: "USAGE", kind: "invalid", hint: oclif.hint }),
          oclif.message,
          commandId,
        ),
        stack,
      );
    const json: SilkErrorJson = {
      code: oclif.code ?? "FAILED",
      kind: "failed",
      message: oclif.message,
      retryable: false,
    };
    return {
      exitCode: oclif.exitCode,
      error: oclif.hint === undefined ? json : { ...json, hint: oclif.hint },
      stack,
    };
  }
  const { toSilkError } = await import("@silkvm/core");
  return failureOf(toSilkError(thrown).toJSON(), stack);
}

function failureOf(error: SilkErrorJson, stack: string | undefined): Failure {
  return { exitCode: exitCodes[error.kind], error, stack };
}

function cliErrorJson(
  error: CliError,
  message: string,
  commandId: string | undefined,
): SilkErrorJson {
  const help =
    commandId === undefined
      ? "`silk help` shows the commands."
      : `\`silk ${commandId.replaceAll(":", " ")} --help\` shows how it is used.`;
  const hint = error.hint ?? (error.code === "USAGE" ? help : undefined);
  return {
    code: error.code,
    kind: error.kind,
    message,
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
