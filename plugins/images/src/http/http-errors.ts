import { isSilkError, SilkError } from "@silkvm/core";

const stalled: ReadonlySet<unknown> = new Set([
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "ETIMEDOUT",
]);

/** What went wrong between this machine and a server. @param url without secrets */
export function httpFailed(url: string, cause: unknown): SilkError {
  if (isSilkError(cause)) return cause;
  const { code } = cause as { code?: unknown };
  const host = URL.canParse(url) ? new URL(url).host : url;
  if (cause instanceof RangeError)
    return new SilkError(`${url}: ${cause.message}`, { code: "ANSWER_TOO_LARGE", kind: "failed" });
  if (isTls(cause))
    return new SilkError(`${host} cannot be trusted: ${messageOf(cause)}`, {
      code: "TLS_FAILED",
      kind: "failed",
      hint: "If the server has a certificate of its own authority, name that in NODE_EXTRA_CA_CERTS; a registry without encryption needs --plain-http.",
      details: { host },
      cause,
    });
  if (stalled.has(code))
    return new SilkError(`${host} does not answer`, {
      code: "SERVER_SILENT",
      kind: "timeout",
      hint: "See whether the network and the server work, and try again: what has been downloaded is kept.",
      details: { host },
      cause,
    });
  return new SilkError(`${host} cannot be reached: ${messageOf(cause)}`, {
    code: "SERVER_UNREACHABLE",
    kind: "unavailable",
    hint: "See whether the name is right and the network works, and try again: what has been downloaded is kept.",
    details: { host },
    cause,
  });
}

export function unsafeRedirect(url: string): SilkError {
  return new SilkError(`${url} leads to somewhere that is not safe to follow`, {
    code: "UNSAFE_REDIRECT",
    kind: "denied",
    details: { url },
  });
}

/** Whether TLS itself failed, and no other attempt will help. */
export function isTls(cause: unknown): boolean {
  const { code } = cause as { code?: unknown };
  return (
    typeof code === "string" &&
    /^(?:ERR_SSL|ERR_TLS|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH)/.test(
      code,
    )
  );
}

/** The last cause says the most. */
function messageOf(cause: unknown): string {
  const inner = (cause as { cause?: unknown }).cause;
  if (inner instanceof Error && inner.message !== "") return inner.message;
  const message = cause instanceof Error ? cause.message : String(cause);
  const first = (cause as { errors?: unknown[] }).errors?.[0];
  return message === "" && first instanceof Error ? first.message : message;
}
