// oxlint-disable-next-line typescript/triple-slash-reference -- so that whoever compiles this source from another package finds the module
/// <reference path="./undici-client.d.ts" />
import type { Client, Dispatcher } from "undici";
import type { ChTransport, ChTransportRequest, ChTransportResponse } from "./transport.ts";

/** How {@link undiciTransport} connects. */
export interface UndiciTransportOptions {
  /** How long an idle connection is kept, in milliseconds. The VMM keeps one for ever, and has room for ten. Default 4000. */
  readonly keepAliveMs?: number | undefined;
  /** The largest answer that is taken, in bytes. Default 16 MiB. */
  readonly maxAnswerBytes?: number | undefined;
}

/**
 * Loads the HTTP client ahead of its first use, to overlap that (some 40 ms on a slow machine) with something else,
 * such as the start of the VMM. Never needed for correctness.
 */
export async function preloadUndici(): Promise<void> {
  await loadClient();
}

/**
 * HTTP/1.1 over the Unix socket with undici: one connection, opened by the first request, kept alive between requests, opened again
 * when it is gone. An idle connection does not keep the program running.
 *
 * Only undici's `Client` is loaded, and only by the first request: the whole of undici takes about three times as long to load, most
 * of it for `fetch`, caches and mocks. `dispatch` is what remains of its interface then, and is all that is needed.
 */
export function undiciTransport(
  socketPath: string,
  options: UndiciTransportOptions = {},
): ChTransport & { close(): Promise<void> } {
  let client: Promise<Client> | undefined;
  let closed = false;
  const open = async (): Promise<Client> => {
    const Client = await loadClient();
    return new Client("http://localhost", {
      socketPath,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: options.keepAliveMs ?? 4_000,
      maxResponseSize: options.maxAnswerBytes ?? 16 * 1024 * 1024,
      // The signal of each request is the only clock.
      headersTimeout: 0,
      bodyTimeout: 0,
      connectTimeout: 0,
    });
  };
  const transport = async (request: ChTransportRequest): Promise<ChTransportResponse> => {
    if (closed) throw new Error("The transport is closed");
    const current = (client ??= open());
    const answer = await dispatch(await current, request);
    if (answer.headers["server"] === parserServer && client === current) {
      client = undefined;
      await (await current).destroy();
    }
    return answer;
  };
  return Object.assign(transport, {
    async close(): Promise<void> {
      closed = true;
      await client?.then(
        (opened) => opened.destroy(),
        () => undefined,
      );
    },
  });
}

/**
 * How the HTTP parser below the API names itself in its refusals. It goes on reading in the middle of the request that it
 * refused, and may answer that too: what comes next on the connection belongs to no request.
 */
const parserServer = "Firecracker API";

async function loadClient(): Promise<typeof Client> {
  return (await import("undici/lib/dispatcher/client.js")).default;
}

function dispatch(client: Client, request: ChTransportRequest): Promise<ChTransportResponse> {
  const { signal } = request;
  const answer = Promise.withResolvers<ChTransportResponse>();
  let controller: Dispatcher.DispatchController | undefined;
  let status = 0;
  let headers: ChTransportResponse["headers"] = {};
  const chunks: Buffer[] = [];
  const abort = (): void => {
    const error = Object.assign(new Error("aborted", { cause: signal?.reason }), {
      sent: controller !== undefined,
    });
    answer.reject(error);
    controller?.abort(error);
  };
  if (signal?.aborted === true) {
    abort();
    return answer.promise;
  }
  signal?.addEventListener("abort", abort, { once: true });
  client.dispatch(
    {
      method: request.method,
      path: request.path,
      body: request.body ?? null,
      headers: request.body === undefined ? {} : { "content-type": "application/json" },
    },
    {
      onRequestStart(started) {
        if (signal?.aborted === true) started.abort(new Error("aborted", { cause: signal.reason }));
        else controller = started;
      },
      onResponseStart(_controller, statusCode, responseHeaders) {
        status = statusCode;
        headers = responseHeaders;
      },
      onResponseData(_controller, chunk) {
        chunks.push(chunk);
      },
      onResponseEnd() {
        answer.resolve({ status, headers, body: Buffer.concat(chunks).toString("utf8") });
      },
      onResponseError(_controller, error) {
        answer.reject(error);
      },
    },
  );
  return answer.promise.finally(() => signal?.removeEventListener("abort", abort));
}
