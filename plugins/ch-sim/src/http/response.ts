/** An answer before it is put on the wire. */
export interface HttpResponse {
  readonly status: number;
  /** Undefined for an answer that has no body at all, not even an empty one. */
  readonly body: string | undefined;
}

const API = "Cloud Hypervisor API";
const PARSER = "Firecracker API";

/** An API answer: 204 has neither Content-Type nor Content-Length, everything else has both. */
export function apiResponse(response: HttpResponse): Buffer {
  const body = response.body ?? "";
  return head("HTTP/1.1", response.status, API, response.status === 204 ? undefined : body);
}

/** The parser's own answer to what it could not read. The body looks like JSON but holds a raw newline. */
export function parseErrorResponse(reason: string): Buffer {
  const body = `{ "error": "${reason}\nAll previous unanswered requests will be dropped." }`;
  return head("HTTP/1.1", 400, PARSER, body);
}

/** Asks a client that waits with its body to send it. */
export function continueResponse(version: string): Buffer {
  return head(version, 100, PARSER, undefined);
}

/** What a client gets that comes while all connections are taken. */
export const SERVER_FULL = Buffer.from(
  'HTTP/1.1 503\r\nServer: Firecracker API\r\nConnection: close\r\nContent-Length: 40\r\n\r\n{ "error": "Too many open connections" }',
);

function head(version: string, status: number, server: string, body: string | undefined): Buffer {
  const lines = [`${version} ${status} `, `Server: ${server}`, "Connection: keep-alive"];
  if (body !== undefined) {
    lines.push("Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`);
  }
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body ?? ""}`);
}
