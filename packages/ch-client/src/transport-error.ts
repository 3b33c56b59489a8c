import {
  ChConnectionError,
  ChProtocolError,
  isChError,
  type ChConnectionFailure,
  type ChErrorContext,
} from "./errors.ts";

const reasons: Readonly<Record<string, ChConnectionFailure>> = {
  ENOENT: "missing",
  ENOTDIR: "missing",
  ECONNREFUSED: "refused",
  EACCES: "denied",
  EPERM: "denied",
  // A Unix socket whose queue of connections is full.
  EAGAIN: "busy",
  EPIPE: "closed",
  ECONNRESET: "closed",
  ECONNABORTED: "closed",
  UND_ERR_SOCKET: "closed",
  UND_ERR_CLOSED: "closed",
  UND_ERR_DESTROYED: "closed",
  UND_ERR_ABORTED: "closed",
};

/** Failures of connecting: the request has not left. */
const beforeSending: ReadonlySet<ChConnectionFailure> = new Set([
  "missing",
  "refused",
  "denied",
  "busy",
]);

/** What a transport threw, as an error of this package where it is about the connection or about HTTP; anything else as it is. */
export function transportError(
  error: unknown,
  context: ChErrorContext,
  socketPath: string,
): unknown {
  if (isChError(error) || !(error instanceof Error)) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const reason = reasons[code] ?? ("syscall" in error ? "other" : undefined);
  if (reason !== undefined) {
    return new ChConnectionError(context, {
      reason,
      socketPath,
      sent: !beforeSending.has(reason),
      cause: error,
    });
  }
  if (
    error.name === "HTTPParserError" ||
    code.startsWith("UND_ERR_RES") ||
    code === "UND_ERR_HEADERS_OVERFLOW"
  ) {
    return new ChProtocolError(context, {
      message: `What listens on ${socketPath} does not answer as a VMM does (${error.message})`,
      cause: error,
    });
  }
  return error;
}
