import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  /** The head as it came, request line included. */
  readonly head: string;
  readonly body: string;
  /** Which connection it came on, counted from 1. */
  readonly connection: number;
}

/** An answer, the bytes of one, or what happens instead of it. */
export type Reply =
  | { readonly status: number; readonly body?: string; readonly server?: string }
  | { readonly bytes: readonly string[] }
  | "close"
  | "hang";

export type Responder = (request: SeenRequest) => Reply | Promise<Reply>;

/** What the real server writes to an eleventh connection before it closes it. */
const serverFull =
  'HTTP/1.1 503\r\nServer: Firecracker API\r\nConnection: close\r\nContent-Length: 40\r\n\r\n{ "error": "Too many open connections" }';

/** A server on a real Unix socket that speaks as the VMM does, byte for byte: its heads, its ten connections, one request at a time. */
export class ApiServer implements AsyncDisposable {
  readonly socketPath: string;
  readonly requests: SeenRequest[] = [];
  /** Connections made since the start. */
  connections = 0;
  maxConnections = 10;
  /** Requests that came while another was being answered. */
  overlaps = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #respond: Responder;
  readonly #directory: string | undefined;
  #busy = 0;

  static async start(respond: Responder, socketPath?: string): Promise<ApiServer> {
    const directory =
      socketPath === undefined ? await mkdtemp(join(tmpdir(), "ch-client-")) : undefined;
    const server = new ApiServer(
      respond,
      socketPath ?? join(directory ?? "", "api.sock"),
      directory,
    );
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject).listen(server.socketPath, resolve);
    });
    return server;
  }

  private constructor(respond: Responder, socketPath: string, directory: string | undefined) {
    this.#respond = respond;
    this.socketPath = socketPath;
    this.#directory = directory;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get openConnections(): number {
    return this.#open.size;
  }

  /** Ends all connections, as a VMM that dies does. */
  drop(): void {
    for (const socket of this.#open) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
    await new Promise((resolve) => this.#server.close(resolve));
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true });
  }

  #accept(socket: Socket): void {
    const connection = ++this.connections;
    socket.on("error", () => undefined);
    if (this.#open.size >= this.maxConnections) {
      socket.end(serverFull, () => socket.destroy());
      return;
    }
    this.#open.add(socket);
    socket.on("close", () => this.#open.delete(socket));
    let unread = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      for (;;) {
        const request = takeRequest(unread, connection);
        if (request === undefined) return;
        unread = unread.subarray(request.length);
        void this.#answer(socket, request.seen);
      }
    });
  }

  async #answer(socket: Socket, request: SeenRequest): Promise<void> {
    this.requests.push(request);
    if (this.#busy++ > 0) this.overlaps++;
    const reply = await this.#respond(request);
    this.#busy--;
    if (reply === "hang") return;
    if (reply === "close") return void socket.destroy();
    if ("status" in reply) return void socket.write(answerBytes(reply));
    for (const piece of reply.bytes) {
      socket.write(piece, "latin1");
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** The real server's heads: no reason phrase, and nothing of a body with a 204. */
function answerBytes({
  status,
  body = "",
  server = "Cloud Hypervisor API",
}: Extract<Reply, { status: number }>): string {
  const head = `HTTP/1.1 ${status} \r\nServer: ${server}\r\nConnection: keep-alive\r\n`;
  if (status === 204) return `${head}\r\n`;
  return `${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function takeRequest(
  bytes: Buffer,
  connection: number,
): { readonly seen: SeenRequest; readonly length: number } | undefined {
  const headLength = bytes.indexOf("\r\n\r\n");
  if (headLength < 0) return undefined;
  const head = bytes.subarray(0, headLength).toString("latin1");
  const bodyLength = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
  const length = headLength + 4 + bodyLength;
  if (bytes.length < length) return undefined;
  const [method = "", path = ""] = head.split(" ");
  return {
    seen: {
      method,
      path,
      head,
      body: bytes.subarray(headLength + 4, length).toString("utf8"),
      connection,
    },
    length,
  };
}
