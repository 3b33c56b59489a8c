import { Deadline, pollDelayMs, type DeadlineOptions } from "./deadline.ts";
import { errorChain } from "./error-body.ts";
import {
  ChApiError,
  ChConnectionError,
  ChInvalidRequestError,
  ChProtocolError,
  type ChErrorContext,
} from "./errors.ts";
import { parseJson, stringifyJson } from "./json.ts";
import {
  apiRoot,
  maxBodyBytes,
  operations,
  type Operation,
  type OperationName,
} from "./operations.ts";
import type { SerialQueue } from "./serial-queue.ts";
import type { ChTransport, ChTransportRequest, ChTransportResponse } from "./transport.ts";
import { transportError } from "./transport-error.ts";

/** Options of every call. */
export interface ChCallOptions extends DeadlineOptions {
  /**
   * How long to go on trying while there is no socket, nobody listens on it, or its queue is full, in milliseconds. Nothing has
   * been sent then, so this is harmless for every call. Default 0.
   */
  readonly waitForSocketMs?: number | undefined;
}

/** What the calls of one client share. */
export interface Connection {
  readonly socketPath: string;
  readonly transport: ChTransport;
  readonly queue: SerialQueue;
  readonly isClosed: () => boolean;
  readonly timeouts: Readonly<Partial<Record<OperationName, number>>>;
  readonly waitForSocketMs: number;
}

/** Pauses before a read is repeated whose connection was closed or refused for want of room, in milliseconds. */
const readRetryPausesMs: readonly number[] = [0, 5, 20, 80];

/**
 * Makes one call: takes its turn in the queue, sends the request, reads the answer.
 * @returns The parsed body of the answer; undefined where it has none.
 */
export async function call(
  connection: Connection,
  name: OperationName,
  body: unknown,
  options: ChCallOptions,
): Promise<unknown> {
  const operation: Operation = operations[name];
  const context: ChErrorContext = { method: operation.method, operation: name };
  using deadline = new Deadline(context, {
    signal: options.signal,
    timeoutMs: options.timeoutMs ?? connection.timeouts[name] ?? operation.timeoutMs,
  });
  const request: ChTransportRequest = {
    method: operation.method,
    path: apiRoot + name,
    signal: deadline.signal,
    ...(operation.request === undefined ? {} : { body: encode(body, context) }),
  };
  const answer = await connection.queue.run(deadline.signal, () =>
    exchange(
      connection,
      request,
      context,
      deadline,
      options.waitForSocketMs ?? connection.waitForSocketMs,
    ),
  );
  if (answer === undefined) {
    throw deadline.failure({
      sent: false,
      message: `the calls before it were not done within ${deadline.timeoutMs} ms`,
    });
  }
  return decode(answer, operation, context);
}

/** Sends the request; again where that is harmless and may help. */
async function exchange(
  { transport, socketPath, isClosed }: Connection,
  request: ChTransportRequest,
  context: ChErrorContext,
  deadline: Deadline,
  waitForSocketMs: number,
): Promise<ChTransportResponse> {
  let sent = false;
  let last: ChConnectionError | undefined;
  for (let reads = 0; ;) {
    if (isClosed()) {
      throw new ChInvalidRequestError(context, {
        reason: "client-closed",
        message: "the client is closed",
      });
    }
    let failure: unknown;
    try {
      const answer = await deadline.bound(transport(request));
      if (answer.status !== 503 || request.method !== "GET" || reads === readRetryPausesMs.length)
        return answer;
    } catch (error) {
      failure = transportError(error, context, socketPath);
    }
    sent ||= !isKnownUnsent(failure);
    const lost = ChConnectionError.is(failure) ? failure : undefined;
    last = lost ?? last;
    const ended = deadline.failure({ sent, cause: last });
    if (ended !== undefined) throw ended;
    if (lost?.sent === false && lost.reason !== "denied" && deadline.elapsedMs < waitForSocketMs) {
      await deadline.pause(pollDelayMs(deadline.elapsedMs));
    } else if (
      request.method === "GET" &&
      (failure === undefined || lost?.reason === "closed") &&
      reads < readRetryPausesMs.length
    ) {
      await deadline.pause(readRetryPausesMs[reads++] ?? 0);
    } else {
      throw failure;
    }
    const interrupted = deadline.failure({ sent, cause: last });
    if (interrupted !== undefined) throw interrupted;
  }
}

/** Whether an error says of itself that nothing of the request has left. */
function isKnownUnsent(error: unknown): boolean {
  return typeof error === "object" && error !== null && "sent" in error && error.sent === false;
}

function encode(body: unknown, context: ChErrorContext): string {
  let text: string;
  try {
    text = stringifyJson(body);
  } catch (cause) {
    throw new ChInvalidRequestError(context, {
      reason: "not-json",
      message: `the body cannot be written as JSON (${String(cause)})`,
      cause,
    });
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBodyBytes) {
    const message = `the body has ${bytes} bytes, and the VMM takes at most ${maxBodyBytes}`;
    throw new ChInvalidRequestError(context, { reason: "body-too-large", message });
  }
  return text;
}

function decode(
  { status, body }: ChTransportResponse,
  operation: Operation,
  context: ChErrorContext,
): unknown {
  if (status >= 300) throw new ChApiError(context, { status, chain: errorChain(body), body });
  if (operation.response === undefined) return undefined;
  if (body === "" && operation.method === "PUT") return undefined;
  try {
    return parseJson(body);
  } catch (cause) {
    throw new ChProtocolError(context, {
      message: `the answer is not JSON (${String(cause)})`,
      body,
      cause,
    });
  }
}
