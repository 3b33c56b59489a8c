import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { ApiServer, type Reply } from "../test/support/api-server.ts";
import { failure } from "../test/support/failure.ts";
import { createChClient } from "./client.ts";
import { undiciTransport } from "./undici-transport.ts";

const pong =
  '{"build_version":"v53.0-dirty","version":"53.0.0","pid":22829,"features":["io_uring","kvm"]}';
const ok: Reply = { status: 204 };

describe("a transport of one's own", () => {
  it("sees each call, and its own errors reach the caller as they are", async () => {
    await using server = await ApiServer.start(() => ok);
    const inner = undiciTransport(server.socketPath);
    const seen: string[] = [];
    await using ch = createChClient({
      socketPath: server.socketPath,
      transport: async (request) => {
        seen.push(`${request.method} ${request.path} ${request.body ?? "-"}`);
        if (request.path.endsWith("vm.pause")) throw new TypeError("not today");
        return inner(request);
      },
    });
    await ch.vm.removeDevice({ id: "d" });
    expect(await failure(ch.vm.pause())).toBeInstanceOf(TypeError);
    expect(await failure(ch.vm.pause())).toHaveProperty("message", "not today");
    await inner.close();
    expect(seen).toEqual([
      'PUT /api/v1/vm.remove-device {"id":"d"}',
      "PUT /api/v1/vm.pause -",
      "PUT /api/v1/vm.pause -",
    ]);
  });

  it("is closed with the client", async () => {
    let closed = 0;
    const ch = createChClient({
      socketPath: "/x",
      transport: Object.assign(async () => ({ status: 204, headers: {}, body: "" }), {
        async close() {
          closed++;
        },
      }),
    });
    await ch.vm.boot();
    await ch[Symbol.asyncDispose]();
    expect(closed).toBe(1);
  });

  it("that does not heed the signal cannot hold up its caller, nor the calls after", async () => {
    await using ch = createChClient({
      socketPath: "/x",
      transport: ({ path }) =>
        path.endsWith("vm.boot")
          ? new Promise(() => undefined)
          : Promise.resolve({ status: 204, headers: {}, body: "" }),
    });
    const boot = failure(ch.vm.boot({ timeoutMs: 20 }));
    await ch.vm.pause();
    expect(await boot).toMatchObject({ code: "CH_TIMEOUT", sent: true });
  });

  it("that cannot connect for want of permission, or of room, is understood by its error", async () => {
    const failWith = (code: string) =>
      createChClient({
        socketPath: "/x",
        transport: () =>
          Promise.reject(Object.assign(new Error(`connect ${code}`), { code, syscall: "connect" })),
      });
    expect(await failure(failWith("EACCES").vm.boot({ waitForSocketMs: 1_000 }))).toMatchObject({
      reason: "denied",
      sent: false,
    });
    expect(await failure(failWith("EAGAIN").vm.boot())).toMatchObject({
      reason: "busy",
      sent: false,
    });
    expect(await failure(failWith("EMFILE").vm.boot())).toMatchObject({
      reason: "other",
      sent: true,
      cause: { code: "EMFILE" },
    });
  });
});

describe("the default transport", () => {
  it("gives up an idle connection after a time, so that others find room", async () => {
    await using server = await ApiServer.start(() => ok);
    await using ch = createChClient({
      socketPath: server.socketPath,
      transport: undiciTransport(server.socketPath, { keepAliveMs: 50 }),
    });
    await ch.vm.pause();
    expect(server.openConnections).toBe(1);
    await expect.poll(() => server.openConnections, { timeout: 5_000 }).toBe(0);
    await ch.vm.resume();
  });

  it("refuses an answer that is too large", async () => {
    await using server = await ApiServer.start(() => ({
      status: 200,
      body: `"${"x".repeat(5_000)}"`,
    }));
    await using ch = createChClient({
      socketPath: server.socketPath,
      transport: undiciTransport(server.socketPath, { maxAnswerBytes: 1_000 }),
    });
    expect(await failure(ch.vm.info())).toMatchObject({ code: "CH_PROTOCOL" });
  });

  it("does not keep a program running that is done", async () => {
    await using server = await ApiServer.start(() => ({ status: 200, body: pong }));
    const script = `
      import { createChClient } from ${JSON.stringify(new URL("client.ts", import.meta.url).href)};
      const ch = createChClient({ socketPath: ${JSON.stringify(server.socketPath)} });
      console.log((await ch.vmm.ping()).pid);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk) => (output += String(chunk)));
    const [code] = await once(child, "exit");
    expect([code, output]).toEqual([0, "22829\n"]);
  });

  it("speaks on a new connection after the HTTP parser below the API refused something, as more may follow", async () => {
    const refusal = (body: string): string =>
      `HTTP/1.1 400 \r\nServer: Firecracker API\r\nConnection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    await using server = await ApiServer.start(({ path }) =>
      path.endsWith("vm.pause") ? { bytes: [refusal("first"), refusal("second")] } : ok,
    );
    await using ch = createChClient(server);
    expect(await failure(ch.vm.pause())).toMatchObject({ status: 400, chain: ["first"] });
    await ch.vm.resume();
    expect(server.requests.map(({ connection }) => connection)).toEqual([1, 2]);
  });

  it("takes nothing for an answer that came without a question", async () => {
    await using server = await ApiServer.start(({ path }) =>
      path.endsWith("vm.pause")
        ? { bytes: ['HTTP/1.1 204 \r\n\r\nHTTP/1.1 500 \r\nContent-Length: 5\r\n\r\n["x"]'] }
        : ok,
    );
    await using ch = createChClient(server);
    await ch.vm.pause();
    await ch.vm.resume();
    expect(server.requests.map(({ connection }) => connection)).toEqual([1, 2]);
  });
});
