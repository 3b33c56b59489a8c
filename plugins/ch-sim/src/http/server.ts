import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

import { type HttpRequest, RequestParser } from "./parser.ts";
import {
  apiResponse,
  continueResponse,
  type HttpResponse,
  parseErrorResponse,
  SERVER_FULL,
} from "./response.ts";

const MAX_CONNECTIONS = 10;
const MAX_BODY_BYTES = 51_200;

/** Answers one request; the next one of any connection waits for it. */
export type Handler = (request: HttpRequest) => Promise<HttpResponse>;

class Connection {
  readonly socket: Socket;
  readonly parser = new RequestParser(MAX_BODY_BYTES);
  #received: Buffer[] = [];
  ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  get readable(): boolean {
    return this.#received.length > 0;
  }

  push(bytes: Buffer): void {
    this.#received.push(bytes);
  }

  /** The next bytes, as many as one read of the parser takes. */
  take(): Buffer {
    const first = this.#received[0] ?? Buffer.alloc(0);
    const joined =
      first.length < this.parser.room && this.#received.length > 1
        ? Buffer.concat(this.#received)
        : first;
    if (joined !== first) this.#received = [joined];
    const taken = joined.subarray(0, this.parser.room);
    const rest = joined.subarray(taken.length);
    if (rest.length > 0) this.#received[0] = rest;
    else this.#received.shift();
    return taken;
  }
}

/**
 * The API's HTTP server. It does one thing at a time, over all connections: read what is there, answer what is whole, go on.
 * A connection is never closed by the server, save those beyond the tenth.
 */
export class ApiServer {
  readonly #server: Server;
  readonly #handler: Handler;
  readonly #waiting: Socket[] = [];
  readonly #connections = new Set<Connection>();
  #busy = false;
  #closing = false;

  private constructor(server: Server, handler: Handler) {
    this.#server = server;
    this.#handler = handler;
    server.on("connection", (socket) => {
      this.#waiting.push(socket);
      socket.on("error", () => socket.destroy());
      this.#wake();
    });
  }

  /** Binds the socket at `address`, a path or a descriptor that is already listening. */
  static async listen(
    address: { readonly path: string } | { readonly fd: number },
    handler: Handler,
  ): Promise<ApiServer> {
    const server = createServer({ allowHalfOpen: true });
    const api = new ApiServer(server, handler);
    server.listen(address);
    await once(server, "listening");
    return api;
  }

  /** Lets what is being written go out, then closes everything. */
  async close(): Promise<void> {
    this.#closing = true;
    const done = [...this.#connections].map(
      ({ socket }) =>
        new Promise<void>((resolve) => {
          if (socket.destroyed) resolve();
          else socket.once("close", () => resolve()).destroySoon();
        }),
    );
    this.#server.close();
    await Promise.all(done);
  }

  #wake(): void {
    if (this.#busy || this.#closing) return;
    this.#busy = true;
    setImmediate(() => {
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    while (!this.#closing && this.#admit() + this.#readable().length > 0) await this.#round();
    this.#busy = false;
  }

  /** Takes in new connections; those beyond the limit are told so and dropped. */
  #admit(): number {
    this.#forgetEnded();
    const sockets = this.#waiting.splice(0);
    for (const socket of sockets) {
      if (this.#connections.size >= MAX_CONNECTIONS) {
        socket.write(SERVER_FULL);
        socket.destroySoon();
        continue;
      }
      const connection = new Connection(socket);
      this.#connections.add(connection);
      socket.on("data", (bytes: Buffer) => {
        connection.push(bytes);
        this.#wake();
      });
      socket.on("end", () => this.#drop(connection));
      socket.on("close", () => this.#drop(connection));
    }
    return sockets.length;
  }

  #drop(connection: Connection): void {
    connection.ended = true;
    connection.socket.destroy();
    this.#wake();
  }

  #forgetEnded(): void {
    for (const connection of this.#connections)
      if (connection.ended) this.#connections.delete(connection);
  }

  #readable(): Connection[] {
    this.#forgetEnded();
    return [...this.#connections].filter((connection) => connection.readable);
  }

  async #round(): Promise<void> {
    const requests: (readonly [Connection, HttpRequest])[] = [];
    for (const connection of this.#readable()) {
      const result = connection.parser.read(connection.take());
      for (const version of result.continues) connection.socket.write(continueResponse(version));
      if (result.error !== undefined) connection.socket.write(parseErrorResponse(result.error));
      for (const request of result.requests) requests.push([connection, request]);
    }
    for (const [connection, request] of requests) {
      const response = await this.#handler(request);
      if (!connection.ended) connection.socket.write(apiResponse(response));
    }
    // New bytes and closed connections have to be seen between two rounds.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
