/**
 * The class of a failure. It decides the exit code of the CLI and whether a repeat can help:
 *
 * | kind | meaning | exit code | a repeat can help |
 * | --- | --- | --- | --- |
 * | `invalid` | a value or a flag is wrong | 2 | no |
 * | `not-found` | what was named is not there | 3 | no |
 * | `conflict` | what is there stands in the way | 4 | no |
 * | `busy` | another operation holds it now | 4 | yes |
 * | `unsupported` | this backend, VMM or host cannot do it | 5 | no |
 * | `timeout` | a deadline passed | 6 | yes |
 * | `aborted` | the caller gave up | 130 | yes |
 * | `denied` | the permission is missing | 1 | no |
 * | `unavailable` | a program, device or service is missing or does not answer | 1 | yes |
 * | `failed` | the operation was tried and failed | 1 | no |
 * | `internal` | a fault of silk or of a plugin | 1 | no |
 */
export type SilkErrorKind =
  | "invalid"
  | "not-found"
  | "conflict"
  | "busy"
  | "unsupported"
  | "timeout"
  | "aborted"
  | "denied"
  | "unavailable"
  | "failed"
  | "internal";

/** Each kind's exit code in the CLI. */
export const exitCodes: Readonly<Record<SilkErrorKind, number>> = {
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

const retryableKinds: ReadonlySet<SilkErrorKind> = new Set([
  "busy",
  "timeout",
  "aborted",
  "unavailable",
]);

/** What a {@link SilkError} is made of. */
export interface SilkErrorOptions {
  /** Stable, upper case, never reused: `VM_NOT_FOUND`. */
  readonly code: string;
  readonly kind: SilkErrorKind;
  /** What the user can do about it: one sentence, with the command where there is one. */
  readonly hint?: string | undefined;
  /** Facts for programs: JSON values only. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/** A {@link SilkError} as JSON, the shape that `--json` prints under `error`. */
export interface SilkErrorJson {
  readonly code: string;
  readonly kind: SilkErrorKind;
  readonly message: string;
  readonly retryable: boolean;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  /** Messages of the cause chain, outermost first. */
  readonly causes?: readonly string[];
}

const brand = Symbol.for("silkvm.error");

/**
 * Every failure that silk reports on purpose. Anything else that is thrown is a fault in silk or in a plugin.
 * Recognise it with {@link isSilkError}, never by `instanceof`: two copies of this package may be loaded at once.
 */
export class SilkError extends Error {
  readonly code: string;
  readonly kind: SilkErrorKind;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(message: string, options: SilkErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.kind = options.kind;
    this.hint = options.hint;
    this.details = options.details;
  }

  /** Whether the same call may succeed later without anything else being changed. */
  get retryable(): boolean {
    return retryableKinds.has(this.kind);
  }

  toJSON(): SilkErrorJson {
    const causes = causeMessages(this);
    return {
      code: this.code,
      kind: this.kind,
      message: this.message,
      retryable: this.retryable,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.details === undefined ? {} : { details: this.details }),
      ...(causes.length === 0 ? {} : { causes }),
    };
  }
}
Object.defineProperty(SilkError.prototype, "name", { value: "SilkError" });
Object.defineProperty(SilkError.prototype, brand, { value: true });

/** The same error with other words, or with more to tell; its causes stay. */
export function restated(
  error: SilkError,
  told: Pick<SilkErrorOptions, "hint" | "details" | "cause"> & { readonly message?: string },
): SilkError {
  const { code, kind, hint, details, cause } = error;
  const { message = error.message, ...more } = told;
  return new SilkError(message, { code, kind, hint, details, cause, ...more });
}

/** Whether a value is a SilkError of any loaded copy of this package. */
export function isSilkError(value: unknown): value is SilkError {
  return (
    typeof value === "object" &&
    value !== null &&
    (value as Record<symbol, unknown>)[brand] === true
  );
}

/** The messages of an error's causes, outermost first. A cause that repeats its parent's words is left out. */
export function causeMessages(error: unknown): string[] {
  const messages: string[] = [];
  const seen = new Set<unknown>([error]);
  let previous = error instanceof Error ? error.message : "";
  for (let cause = (error as { cause?: unknown }).cause; cause !== undefined && !seen.has(cause);) {
    seen.add(cause);
    const message = messageOf(cause);
    if (!previous.includes(message)) messages.push(message);
    previous = message;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return messages;
}

function messageOf(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "unknown");
}

/** Any thrown value as a SilkError: itself, or wrapped by what is known of it (abort, errno, or `internal`). */
export function toSilkError(value: unknown, doing?: string): SilkError {
  if (isSilkError(value)) return value;
  const prefix = doing === undefined ? "" : `${doing}: `;
  const message = messageOf(value);
  const name = value instanceof Error ? value.name : "";
  if (name === "AbortError")
    return new SilkError(`${prefix}the operation was aborted`, {
      code: "ABORTED",
      kind: "aborted",
      cause: value,
    });
  if (name === "TimeoutError")
    return new SilkError(`${prefix}the operation timed out`, {
      code: "TIMED_OUT",
      kind: "timeout",
      cause: value,
    });
  const errno = (value as { code?: unknown } | null | undefined)?.code;
  const known = typeof errno === "string" ? errnoErrors[errno] : undefined;
  if (known !== undefined) return new SilkError(`${prefix}${message}`, { ...known, cause: value });
  return new SilkError(`${prefix}${message}`, { code: "INTERNAL", kind: "internal", cause: value });
}

const errnoErrors: Readonly<Record<string, Pick<SilkErrorOptions, "code" | "kind" | "hint">>> = {
  ENOSPC: {
    code: "DISK_FULL",
    kind: "failed",
    hint: "Free some space (`silk gc --dry-run` shows what silk can let go) and run the command again.",
  },
  EDQUOT: {
    code: "DISK_FULL",
    kind: "failed",
    hint: "The disk quota is used up: free some space and run the command again.",
  },
  EACCES: {
    code: "PERMISSION_DENIED",
    kind: "denied",
    hint: "Run as a user who may use this path, or name another directory with --root-dir, --run-dir or --log-dir.",
  },
  EPERM: {
    code: "PERMISSION_DENIED",
    kind: "denied",
    hint: "Run as root, or give this user the permission that the message names.",
  },
  EROFS: {
    code: "READ_ONLY",
    kind: "denied",
    hint: "The file system is read-only: name another directory with --root-dir.",
  },
  ENOENT: { code: "FILE_NOT_FOUND", kind: "not-found" },
  ENOTDIR: {
    code: "NOT_A_DIRECTORY",
    kind: "invalid",
    hint: "A part of this path is a file: name another directory.",
  },
  ELOOP: {
    code: "INVALID_PATH",
    kind: "invalid",
    hint: "The path leads in a circle of symbolic links: name the file itself.",
  },
  ENAMETOOLONG: {
    code: "INVALID_PATH",
    kind: "invalid",
    hint: "A part of this path has more than 255 bytes, or all of it more than 4,095: name another one.",
  },
  EIO: {
    code: "IO_ERROR",
    kind: "failed",
    hint: "The disk reported an error: see the kernel's log (`dmesg`).",
  },
  EMFILE: {
    code: "TOO_MANY_FILES",
    kind: "failed",
    hint: "Raise the limit of open files (`ulimit -n`) and run the command again.",
  },
  ENFILE: { code: "TOO_MANY_FILES", kind: "failed" },
  ENOMEM: { code: "OUT_OF_MEMORY", kind: "failed" },
  EEXIST: { code: "FILE_EXISTS", kind: "conflict" },
  EISDIR: { code: "NOT_A_FILE", kind: "invalid" },
  EBUSY: { code: "FILE_BUSY", kind: "busy" },
  ETXTBSY: { code: "FILE_BUSY", kind: "busy" },
  ETIMEDOUT: { code: "TIMED_OUT", kind: "timeout" },
};
