import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type Engine, isSilkError } from "@silkvm/core";
import { askGuest } from "./ask-guest.ts";
import { TooBusyError, Turns } from "./turns.ts";

export interface ServiceOptions {
  readonly engine: Engine;
  /** The snapshot that each request gets a clone of. */
  readonly snapshot: string;
  /** 0: any that is free. */
  readonly port: number;
  /** How many VMs may run at once. */
  readonly atOnce: number;
  /** How many requests may wait for their turn. */
  readonly mostWaiting: number;
  /** How long a request may take, its wait included. */
  readonly requestTimeoutMs: number;
  /** How long requests that are under way may go on when the service ends. */
  readonly graceMs: number;
}

/** A service that runs. Dispose of it to end it: no more requests, those that are under way are finished or aborted, no VM is left. */
export interface Service extends AsyncDisposable {
  readonly url: string;
}

/** Answers each request (a line for the guest's shell) from a VM of its own, which lives as long as the request. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const turns = new Turns(options);
  const ending = new AbortController();
  const underWay = new Set<Promise<void>>();

  const server = createServer((request, response) => {
    const answering = answer(request, response).finally(() => underWay.delete(answering));
    underWay.add(answering);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Three things end the work on a request: its client goes away, its time is up, the service ends.
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const signal = AbortSignal.any([
      gone.signal,
      ending.signal,
      AbortSignal.timeout(options.requestTimeoutMs),
    ]);
    try {
      const line = (await text(request)).trim();
      const said = await turns.run(signal, () => inVmOfItsOwn(line, signal));
      endConnectionAtTheEnd(response);
      response.writeHead(200, { "content-type": "text/plain" }).end(`${said}\n`);
    } catch (error) {
      const { status, message } = explain(error);
      endConnectionAtTheEnd(response);
      if (!response.headersSent) response.writeHead(status, { "content-type": "text/plain" });
      response.end(`${message}\n`);
    }
  }

  /** A client that keeps its connection for later would keep a service that ends, too. */
  function endConnectionAtTheEnd(response: ServerResponse): void {
    if (!server.listening) response.shouldKeepAlive = false;
  }

  async function inVmOfItsOwn(line: string, signal: AbortSignal): Promise<string> {
    const from = { snapshot: options.snapshot };
    // Disposal takes no signal: whatever ended the work, the VM is deleted.
    await using vm = (await options.engine.clone(from, { dispose: "delete", signal })).vm;
    return await askGuest(vm, line, signal);
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      const deadline = setTimeout(() => ending.abort(), options.graceMs);
      await closed;
      clearTimeout(deadline);
      // A request is answered before its VM is gone.
      await Promise.all(underWay);
    },
  };
}

/** What a client is told. Whether it helps to ask again is in silk's errors. */
function explain(error: unknown): { readonly status: number; readonly message: string } {
  if (error instanceof TooBusyError) return { status: 503, message: error.message };
  if (error instanceof DOMException)
    return { status: error.name === "TimeoutError" ? 504 : 503, message: error.message };
  if (!isSilkError(error)) return { status: 500, message: "the guest could not be asked" };
  const status = error.kind === "timeout" ? 504 : error.retryable ? 503 : 500;
  return { status, message: `${error.code}: ${error.message}` };
}
