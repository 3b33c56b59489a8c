import type { Socket } from "node:net";
import { ChProtocolError } from "./errors.ts";
import type { ChTransport, ChTransportRequest, ChTransportResponse } from "./transport.ts";

const longestAnswerBytes = 16 * 1024 * 1024;
const headEnd = "\r\n\r\n";

/**
 * The VMM's API over a bare socket, one connection for each call: for a program that makes a few calls and ends. Loading undici takes
 * some 40 ms, longer than a VMM takes to boot; the VMM's server speaks a plain HTTP/1.1, with a Content-Length at every body.
 */
export function socketTransport(socketPath: string): ChTransport {
  return async (request) => {
    const { connect } = await import("node:net");
    request.signal?.throwIfAborted();
    const socket = connect({ path: socketPath });
    try {
      return await exchange(socket, request);
    } finally {
      socket.destroy();
    }
  };
}

function exchange(socket: Socket, request: ChTransportRequest): Promise<ChTransportResponse> {
  const { signal } = request;
  const answer = Promise.withResolvers<ChTransportResponse>();
  const abort = (): void => answer.reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  let received = Buffer.alloc(0);
  socket.on("error", answer.reject);
  socket.on("connect", () => {
    socket.write(encode(request));
  });
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    try {
      const response = decode(received, request);
      if (response !== undefined) answer.resolve(response);
    } catch (error) {
      answer.reject(error);
    }
  });
  socket.on("close", () => {
    const error = new Error("the connection was closed before the answer was complete");
    answer.reject(Object.assign(error, { code: "ECONNRESET" }));
  });
  return answer.promise.finally(() => signal?.removeEventListener("abort", abort));
}

function encode({ method, path, body }: ChTransportRequest): string {
  const head = [`${method} ${path} HTTP/1.1`, "Host: localhost", "Accept: application/json"];
  if (body !== undefined)
    head.push("Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`);
  return head.join("\r\n") + headEnd + (body ?? "");
}

/** The answer, once all of it is there. */
function decode(
  received: Buffer,
  { method, path }: ChTransportRequest,
): ChTransportResponse | undefined {
  const refuse = (message: string): never => {
    const operation = path.split("/").at(-1) ?? "";
    throw new ChProtocolError({ method, operation }, { message });
  };
  const end = received.indexOf(headEnd);
  if (end === -1) {
    if (received.length > longestAnswerBytes) refuse("the head of the answer does not end");
    return undefined;
  }
  const [statusLine = "", ...lines] = received.toString("latin1", 0, end).split("\r\n");
  const status = /^HTTP\/1\.[01] (?<status>\d{3})/.exec(statusLine)?.groups?.["status"];
  if (status === undefined) return refuse(`no HTTP answer: ${JSON.stringify(statusLine)}`);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  if (headers["transfer-encoding"] !== undefined) refuse("the answer comes in chunks");
  const length = Number(headers["content-length"] ?? 0);
  if (!Number.isSafeInteger(length) || length < 0 || length > longestAnswerBytes)
    refuse(`an answer of ${headers["content-length"]} bytes`);
  const start = end + headEnd.length;
  if (received.length < start + length) return undefined;
  return {
    status: Number(status),
    headers,
    body: received.toString("utf8", start, start + length),
  };
}
