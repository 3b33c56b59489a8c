import type { SilkErrorKind } from "@silkvm/core";

/** What a {@link CliError} is made of besides its message. */
interface CliErrorOptions {
  readonly code: string;
  readonly kind: SilkErrorKind;
  readonly hint?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * A failure that the CLI itself finds, in the form of a `SilkError`. It is a class of its own so that a command line that is wrong is
 * refused without loading the engine.
 */
export class CliError extends Error {
  readonly code: string;
  readonly kind: SilkErrorKind;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  /** What was said first: the argument parser rewrites the message of what a flag throws. */
  readonly text: string;

  constructor(message: string, options: CliErrorOptions) {
    super(message);
    this.name = "CliError";
    this.text = message;
    this.code = options.code;
    this.kind = options.kind;
    this.hint = options.hint;
    this.details = options.details;
  }
}

/** Something was typed wrongly: exit code 2. */
export function usageError(message: string, hint?: string): CliError {
  return new CliError(message, { code: "USAGE", kind: "invalid", hint });
}
