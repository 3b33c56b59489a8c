import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createChClient } from "./client.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { socketTransport } from "./socket-transport.ts";

let dir: string;
let socketPath: string;
let server: Server | undefined;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "silk-http-"));
  socketPath = join(dir, "api.sock");
});
afterEach(async () => {
  await new Promise<void>((resolve) => {
    if (server === undefined) resolve();
    else server.close(() => resolve());
  });
  server = undefined;
  await rm(dir, { recursive: true, force: true });
});

/** A server that answers each request with these pieces, one after the other. */
async function answering(
  respond: (socket: Socket, request: string) => Promise<void> | void,
): Promise<void> {
  server = createServer((socket) => {
    socket.on("error", () => {});
    let request = "";
    socket.on("data", (chunk) => {
      request += chunk.toString();
      if (request.includes("\r\n\r\n")) void respond(socket, request);
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(socketPath, resolve);
  await promise;
}

const get = { method: "GET", path: "/api/v1/vm.info" } as const;

describe("the socket transport", () => {
  it("reads an answer that comes in small pieces", async () => {
    const answer = 'HTTP/1.1 200 \r\nServer: VMM\r\nContent-Length: 10\r\n\r\n{"a":"ä"}';
    await answering(async (socket) => {
      for (const byte of Buffer.from(answer)) {
        socket.write(Buffer.from([byte]));
        await new Promise(setImmediate);
      }
    });
    const response = await socketTransport(socketPath)(get);
    expect(response).toEqual({
      status: 200,
      headers: { server: "VMM", "content-length": "10" },
      body: '{"a":"ä"}',
    });
  });

  it("sends a body with its length in bytes, and takes an answer without one", async () => {
    let seen = "";
    await answering((socket, request) => {
      seen = request;
      socket.write("HTTP/1.1 204 \r\nConnection: keep-alive\r\n\r\n");
    });
    const response = await socketTransport(socketPath)({
      method: "PUT",
      path: "/api/v1/vm.create",
      body: '"ä"',
    });
    expect(response).toMatchObject({ status: 204, body: "" });
    expect(seen).toMatch(/^PUT \/api\/v1\/vm\.create HTTP\/1\.1\r\n/);
    expect(seen).toMatch(/Content-Length: 4\r\n\r\n"ä"$/);
  });

  it("fails as a connection does where there is no socket, and as late where nobody answers", async () => {
    const client = createChClient({ socketPath, transport: socketTransport(socketPath) });
    await expect(client.vmm.ping()).rejects.toMatchObject({
      code: "CH_CONNECTION",
      reason: "missing",
    });
    await answering(() => {});
    await expect(client.vmm.ping({ timeoutMs: 20 })).rejects.toMatchObject({ code: "CH_TIMEOUT" });
  });

  it("fails as a connection does when it is closed before the answer is complete", async () => {
    await answering((socket) => {
      socket.end("HTTP/1.1 204");
    });
    const client = createChClient({ socketPath, transport: socketTransport(socketPath) });
    await expect(client.vm.shutdown()).rejects.toMatchObject({
      code: "CH_CONNECTION",
      reason: "closed",
    });
  });

  it.each([
    ["no HTTP", "hello\r\n\r\n"],
    ["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ["a length beyond all measure", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"],
    ["a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"],
  ])("refuses an answer that is %s", async (_what, answer) => {
    await answering((socket) => {
      socket.write(answer);
    });
    const client = createChClient({ socketPath, transport: socketTransport(socketPath) });
    await expect(client.vm.shutdown()).rejects.toMatchObject({ code: "CH_PROTOCOL" });
  });

  it("gives up at once when it is aborted, and closes the connection", async () => {
    const closed = Promise.withResolvers<void>();
    await answering((socket) => {
      socket.on("close", () => closed.resolve());
    });
    const abort = new AbortController();
    const request = socketTransport(socketPath)({ ...get, signal: abort.signal });
    setTimeout(() => abort.abort(new Error("enough")), 20);
    await expect(request).rejects.toThrow("enough");
    await closed.promise;
  });
});
