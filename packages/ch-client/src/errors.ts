/** Stable codes, one per class of error. */
export type ChErrorCode =
  | "CH_API"
  | "CH_CONNECTION"
  | "CH_TIMEOUT"
  | "CH_ABORTED"
  | "CH_PROTOCOL"
  | "CH_INVALID_REQUEST"
  | "CH_VMM_ENDED";

/** What all errors of this package carry. */
export interface ChErrorContext {
  /** HTTP method of the call; empty where the error belongs to no call. */
  readonly method: "GET" | "PUT" | "";
  /** The API's own name of the call: `vm.boot`; empty where the error belongs to no call. */
  readonly operation: string;
}

const brand = Symbol.for("silkvm.ch-client.error");

/**
 * What this package throws on purpose. Tell the classes apart by `code`, with {@link isChError} or with the static `is` of each:
 * `instanceof` fails where two copies of this package are loaded.
 */
export abstract class ChError extends Error {
  abstract readonly code: ChErrorCode;
  readonly method: ChErrorContext["method"];
  readonly operation: string;
  /** @internal */
  readonly [brand] = true;

  constructor(message: string, context: ChErrorContext, options?: ErrorOptions) {
    super(context.operation === "" ? message : `${context.operation}: ${message}`, options);
    this.method = context.method;
    this.operation = context.operation;
  }
}

/** Recognises every error of this package, whichever copy of it threw. */
export function isChError(error: unknown): error is ChError {
  return (
    typeof error === "object" && error !== null && (error as { [brand]?: unknown })[brand] === true
  );
}

/** The VMM answered that it will not or cannot. */
export class ChApiError extends ChError {
  override readonly name = "ChApiError";
  override readonly code = "CH_API";
  /** HTTP status, 400 and up. */
  readonly status: number;
  /** The VMM's messages, outermost first; empty where the answer had no body. */
  readonly chain: readonly string[];
  /** The answer's body as it came. */
  readonly body: string;

  constructor(
    context: ChErrorContext,
    answer: { readonly status: number; readonly chain: readonly string[]; readonly body: string },
  ) {
    super(summary(answer.status, answer.chain), context);
    this.status = answer.status;
    this.chain = answer.chain;
    this.body = answer.body;
  }

  static is(error: unknown): error is ChApiError {
    return isChError(error) && error.code === "CH_API";
  }
}

/**
 * Why there was no conversation. `missing`: no socket there; `refused`: nobody listens on it; `denied`: no permission;
 * `busy`: the listener's queue is full; `closed`: the connection ended before the answer was complete.
 */
export type ChConnectionFailure = "missing" | "refused" | "denied" | "busy" | "closed" | "other";

/** The VMM could not be reached, or went away before its answer was complete. The system's error is the `cause`. */
export class ChConnectionError extends ChError {
  override readonly name = "ChConnectionError";
  override readonly code = "CH_CONNECTION";
  readonly reason: ChConnectionFailure;
  readonly socketPath: string;
  /** False where it is certain that the VMM has seen nothing of the request, so that a repeat is harmless. */
  readonly sent: boolean;

  constructor(
    context: ChErrorContext,
    failure: {
      readonly reason: ChConnectionFailure;
      readonly socketPath: string;
      readonly sent: boolean;
      readonly cause?: unknown;
    },
  ) {
    super(
      `${connectionMessages[failure.reason]}: ${failure.socketPath}${detail(failure.cause)}`,
      context,
      { cause: failure.cause },
    );
    this.reason = failure.reason;
    this.socketPath = failure.socketPath;
    this.sent = failure.sent;
  }

  static is(error: unknown): error is ChConnectionError {
    return isChError(error) && error.code === "CH_CONNECTION";
  }
}

/** The deadline of the call passed. What the VMM was asked to do it may still do. */
export class ChTimeoutError extends ChError {
  override readonly name = "ChTimeoutError";
  override readonly code = "CH_TIMEOUT";
  readonly timeoutMs: number;
  /** False where it is certain that the VMM has seen nothing of the request. */
  readonly sent: boolean;

  constructor(
    context: ChErrorContext,
    failure: {
      readonly timeoutMs: number;
      readonly sent: boolean;
      readonly message?: string;
      readonly cause?: unknown;
    },
  ) {
    super(failure.message ?? `no answer within ${failure.timeoutMs} ms`, context, {
      cause: failure.cause,
    });
    this.timeoutMs = failure.timeoutMs;
    this.sent = failure.sent;
  }

  static is(error: unknown): error is ChTimeoutError {
    return isChError(error) && error.code === "CH_TIMEOUT";
  }
}

/** The caller's signal ended the call. Its reason, untouched, is the `cause`. What the VMM was asked to do it may still do. */
export class ChAbortError extends ChError {
  /** As every API of the platform names it. */
  override readonly name = "AbortError";
  override readonly code = "CH_ABORTED";
  /** False where it is certain that the VMM has seen nothing of the request. */
  readonly sent: boolean;

  constructor(
    context: ChErrorContext,
    abort: { readonly reason: unknown; readonly sent: boolean },
  ) {
    super("aborted", context, { cause: abort.reason });
    this.sent = abort.sent;
  }

  static is(error: unknown): error is ChAbortError {
    return isChError(error) && error.code === "CH_ABORTED";
  }
}

/** What answered does not speak as the VMM does: no HTTP, or no JSON where JSON was due. */
export class ChProtocolError extends ChError {
  override readonly name = "ChProtocolError";
  override readonly code = "CH_PROTOCOL";
  /** The answer's body, where it came that far. */
  readonly body: string | undefined;

  constructor(
    context: ChErrorContext,
    failure: { readonly message: string; readonly body?: string; readonly cause?: unknown },
  ) {
    super(failure.message, context, { cause: failure.cause });
    this.body = failure.body;
  }

  static is(error: unknown): error is ChProtocolError {
    return isChError(error) && error.code === "CH_PROTOCOL";
  }
}

/** The request cannot be sent as it is; nothing was. */
export class ChInvalidRequestError extends ChError {
  override readonly name = "ChInvalidRequestError";
  override readonly code = "CH_INVALID_REQUEST";
  /** `arguments`: a launch description that the command line has no form for. */
  readonly reason:
    | "body-too-large"
    | "socket-path-too-long"
    | "not-json"
    | "client-closed"
    | "arguments";

  constructor(
    context: ChErrorContext,
    failure: {
      readonly reason: ChInvalidRequestError["reason"];
      readonly message: string;
      readonly cause?: unknown;
    },
  ) {
    super(failure.message, context, { cause: failure.cause });
    this.reason = failure.reason;
  }

  static is(error: unknown): error is ChInvalidRequestError {
    return isChError(error) && error.code === "CH_INVALID_REQUEST";
  }
}

/** The VMM's process ended while something was waited for. */
export class ChVmmEndedError extends ChError {
  override readonly name = "ChVmmEndedError";
  override readonly code = "CH_VMM_ENDED";

  constructor(waitingFor: string, cause?: unknown) {
    super(`The VMM ended before ${waitingFor}`, { method: "", operation: "" }, { cause });
  }

  static is(error: unknown): error is ChVmmEndedError {
    return isChError(error) && error.code === "CH_VMM_ENDED";
  }
}

const connectionMessages: Readonly<Record<ChConnectionFailure, string>> = {
  missing: "There is no API socket",
  refused: "Nobody listens on the API socket",
  denied: "No permission for the API socket",
  busy: "The API socket takes no more connections now",
  closed: "The connection was closed before the answer was complete",
  other: "The connection failed",
};

function detail(cause: unknown): string {
  return cause instanceof Error && cause.message !== "" ? ` (${cause.message})` : "";
}

/** The chain on one line: without the outermost message that all failures share, and without the VMM's stack traces. */
function summary(status: number, chain: readonly string[]): string {
  const links = chain.length > 1 && chain[0] === "Error from API" ? chain.slice(1) : chain;
  const text = links
    .map((link) =>
      link
        .split("\n\nStack backtrace:")[0]
        ?.replaceAll(/\s*\n\s*/g, " ")
        .trim(),
    )
    .join(": ");
  return text === ""
    ? `HTTP status ${status} without a message`
    : `${text} (HTTP status ${status})`;
}
