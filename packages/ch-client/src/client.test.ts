import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ApiServer, type Reply } from "../test/support/api-server.ts";
import { errorAnswer } from "../test/support/fixtures.ts";
import { createChClient } from "./client.ts";
import {
  ChAbortError,
  ChApiError,
  ChConnectionError,
  ChInvalidRequestError,
  ChProtocolError,
  ChTimeoutError,
} from "./errors.ts";
import { undiciTransport } from "./undici-transport.ts";

const pong =
  '{"build_version":"v53.0-dirty","version":"53.0.0","pid":22829,"features":["io_uring","kvm"]}';
const ok: Reply = { status: 204 };

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`resolved with ${String(value)}`);
    },
    (error: unknown) => error,
  );
}

describe("a request", () => {
  it("is a GET without a body for reads", async () => {
    await using server = await ApiServer.start(() => ({ status: 200, body: pong }));
    await using ch = createChClient(server);
    expect(await ch.vmm.ping()).toEqual({
      build_version: "v53.0-dirty",
      version: "53.0.0",
      pid: 22829,
      features: ["io_uring", "kvm"],
    });
    const [request] = server.requests;
    expect([request?.method, request?.path, request?.body]).toEqual([
      "GET",
      "/api/v1/vmm.ping",
      "",
    ]);
    expect(request?.head.toLowerCase()).not.toContain("content-length");
  });

  it("is a PUT with the length of its body, never in chunks", async () => {
    await using server = await ApiServer.start(() => ok);
    await using ch = createChClient(server);
    await ch.vm.create({ payload: { kernel: "/k", cmdline: "größe=1" } });
    await ch.vm.boot();
    const [create, boot] = server.requests;
    expect(create?.body).toBe('{"payload":{"kernel":"/k","cmdline":"größe=1"}}');
    expect(create?.head).toMatch(/^PUT \/api\/v1\/vm\.create HTTP\/1\.1\r\n/);
    expect(create?.head.toLowerCase()).toContain(
      `content-length: ${Buffer.byteLength(create?.body ?? "")}`,
    );
    expect(create?.head.toLowerCase()).toContain("content-type: application/json");
    expect(create?.head.toLowerCase()).not.toContain("transfer-encoding");
    expect(boot?.head.toLowerCase()).toContain("content-length: 0");
    expect(boot?.head.toLowerCase()).not.toContain("content-type");
  });

  it("keeps 64-bit integers in both directions", async () => {
    await using server = await ApiServer.start(({ method }) =>
      method === "GET"
        ? { status: 200, body: '{"_disk0":{"read_latency_min":18446744073709551615,"read_ops":7}}' }
        : ok,
    );
    await using ch = createChClient(server);
    expect(await ch.vm.counters()).toEqual({
      _disk0: { read_latency_min: 18446744073709551615n, read_ops: 7 },
    });
    await ch.vm.addDisk({
      path: "/d",
      rate_limiter_config: { ops: { size: 2n ** 64n - 1n, refill_time: 100 } },
    });
    expect(server.requests[1]?.body).toBe(
      '{"path":"/d","rate_limiter_config":{"ops":{"size":18446744073709551615,"refill_time":100}}}',
    );
  });

  it("has up to 51,200 bytes, and is not sent with more", async () => {
    await using server = await ApiServer.start(() => ok);
    await using ch = createChClient(server);
    const bodyOf = (bytes: number): { payload: { cmdline: string } } => ({
      payload: { cmdline: "x".repeat(bytes - 26) },
    });
    await ch.vm.create(bodyOf(51_200));
    expect(server.requests[0]?.body).toHaveLength(51_200);
    const error = await failure(ch.vm.create(bodyOf(51_201)));
    expect(ChInvalidRequestError.is(error) && error.reason).toBe("body-too-large");
    expect(String(error)).toContain("51201 bytes");
    expect(server.requests).toHaveLength(1);
  });

  it("that is no JSON value is not sent", async () => {
    await using server = await ApiServer.start(() => ok);
    await using ch = createChClient(server);
    const error = await failure(ch.vm.resize({ desired_ram: Number.NaN }));
    expect(ChInvalidRequestError.is(error) && error.reason).toBe("not-json");
    expect(server.connections).toBe(0);
  });
});

describe("an answer", () => {
  it("may come in pieces", async () => {
    const bytes =
      `HTTP/1.1 200 \r\nServer: Cloud Hypervisor API\r\nConnection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: ${pong.length}\r\n\r\n${pong}`.split(
        "",
      );
    await using server = await ApiServer.start(() => ({ bytes }));
    await using ch = createChClient(server);
    expect((await ch.vmm.ping()).pid).toBe(22829);
  });

  it("to an added device is the device, or nothing where the VM does not run", async () => {
    const replies: Reply[] = [{ status: 200, body: '{"id":"pd","bdf":"0000:00:10.0"}' }, ok];
    await using server = await ApiServer.start(() => replies.shift() ?? "close");
    await using ch = createChClient(server);
    expect(await ch.vm.addDisk({ path: "/d" })).toEqual({ id: "pd", bdf: "0000:00:10.0" });
    expect(await ch.vm.addDisk({ path: "/d" })).toBeUndefined();
  });

  it("that refuses is an error with status, call, chain and body", async () => {
    const { status, body } = errorAnswer("vm.boot", "Max CPUs (2) lower than boot CPUs (4)");
    await using server = await ApiServer.start(() => ({ status, body }));
    await using ch = createChClient(server);
    const error = await failure(ch.vm.boot());
    expect(ChApiError.is(error)).toBe(true);
    expect(error).toMatchObject({
      code: "CH_API",
      name: "ChApiError",
      status: 500,
      method: "PUT",
      operation: "vm.boot",
      chain: [
        "Error from API",
        "The VM could not boot",
        "Failed to validate config",
        "Max CPUs (2) lower than boot CPUs (4)",
      ],
      body,
      message:
        "vm.boot: The VM could not boot: Failed to validate config: Max CPUs (2) lower than boot CPUs (4) (HTTP status 500)",
    });
  });

  it("that refuses without a body, or with one that is no JSON, is such an error too", async () => {
    const replies: Reply[] = [
      { status: 400 },
      {
        status: 400,
        server: "Firecracker API",
        body: '{ "error": "Invalid request.\nAll previous unanswered requests will be dropped." }',
      },
    ];
    await using server = await ApiServer.start(() => replies.shift() ?? "close");
    await using ch = createChClient(server);
    expect(await failure(ch.vm.boot())).toMatchObject({
      code: "CH_API",
      chain: [],
      message: "vm.boot: HTTP status 400 without a message",
    });
    expect(await failure(ch.vm.boot())).toMatchObject({
      code: "CH_API",
      chain: ["Invalid request.\nAll previous unanswered requests will be dropped."],
    });
  });

  it("that is no JSON where JSON is due, or no HTTP at all, is a protocol error", async () => {
    const replies: Reply[] = [
      { status: 200, body: "<html>" },
      { status: 200 },
      { bytes: ["SSH-2.0-OpenSSH_9.2\r\n"] },
    ];
    await using server = await ApiServer.start(() => replies.shift() ?? "close");
    await using ch = createChClient(server);
    for (const body of ["<html>", ""]) {
      const error = await failure(ch.vm.info());
      expect(ChProtocolError.is(error) && error.body).toBe(body);
    }
    const error = await failure(ch.vm.info());
    expect(ChProtocolError.is(error) && error.message).toContain("does not answer as a VMM does");
  });
});

describe("the calls of a client", () => {
  it("go one at a time, in order, over one connection", async () => {
    await using server = await ApiServer.start(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return ok;
    });
    await using ch = createChClient(server);
    await Promise.all([
      ch.vm.create({}),
      ch.vm.boot(),
      ch.vm.pause(),
      ch.vm.resume(),
      ch.vm.shutdown(),
      ch.vm.delete(),
    ]);
    expect(server.requests.map(({ path }) => path.slice(8))).toEqual([
      "vm.create",
      "vm.boot",
      "vm.pause",
      "vm.resume",
      "vm.shutdown",
      "vm.delete",
    ]);
    expect([server.connections, server.overlaps]).toEqual([1, 0]);
  });

  it("go on after one of them failed", async () => {
    const replies: Reply[] = [{ status: 500, body: '["a"]' }, "close", ok];
    await using server = await ApiServer.start(() => replies.shift() ?? "close");
    await using ch = createChClient(server);
    const outcomes = await Promise.allSettled([ch.vm.boot(), ch.vm.pause(), ch.vm.resume()]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
  });

  it("work again when the VMM was started again on the same socket", async () => {
    await using first = await ApiServer.start(() => ok);
    await using ch = createChClient(first);
    await ch.vm.pause();
    first.drop();
    await rm(first.socketPath);
    await using second = await ApiServer.start(() => ok, first.socketPath);
    await ch.vm.resume();
    expect(second.requests.map(({ path }) => path)).toEqual(["/api/v1/vm.resume"]);
  });

  it("can be made by the API's own name", async () => {
    await using server = await ApiServer.start(({ method }) =>
      method === "GET" ? { status: 200, body: pong } : ok,
    );
    await using ch = createChClient(server);
    await ch.call("vm.remove-device", { id: "x" });
    expect((await ch.call("vmm.ping", undefined)).version).toBe("53.0.0");
    expect(server.requests.map(({ path, body }) => path + body)).toEqual([
      '/api/v1/vm.remove-device{"id":"x"}',
      "/api/v1/vmm.ping",
    ]);
  });

  it("are refused after close, and fail when closed under way", async () => {
    await using server = await ApiServer.start(() => "hang");
    const ch = createChClient(server);
    const running = failure(ch.vm.boot());
    const queued = failure(ch.vm.pause());
    await expect.poll(() => server.requests.length).toBe(1);
    await ch.close();
    await ch.close();
    expect(await running).toMatchObject({ code: "CH_CONNECTION", reason: "closed", sent: true });
    expect(await queued).toMatchObject({ code: "CH_INVALID_REQUEST", reason: "client-closed" });
    expect(await failure(ch.vm.boot())).toMatchObject({
      code: "CH_INVALID_REQUEST",
      reason: "client-closed",
    });
    await expect.poll(() => server.openConnections).toBe(0);
  });
});

describe("a VMM that cannot be reached", () => {
  it("is told apart: no socket, nobody behind it, a path that is none, closed before the answer", async () => {
    await using server = await ApiServer.start(() => "close");
    const nothing = join(server.socketPath, "..", "none.sock");
    await using ch = createChClient({ socketPath: nothing });
    expect(await failure(ch.vm.boot())).toMatchObject({
      code: "CH_CONNECTION",
      reason: "missing",
      sent: false,
      socketPath: nothing,
      cause: { code: "ENOENT" },
    });

    await using insideFile = createChClient({ socketPath: join(import.meta.filename, "x.sock") });
    expect(await failure(insideFile.vm.boot())).toMatchObject({ reason: "missing" });

    await using closing = createChClient(server);
    expect(await failure(closing.vm.boot())).toMatchObject({
      code: "CH_CONNECTION",
      reason: "closed",
      sent: true,
    });
    expect(server.requests).toHaveLength(1);
  });

  it("whose process was killed leaves a socket that refuses", async () => {
    await using server = await ApiServer.start(() => ok);
    const dead = join(server.socketPath, "..", "dead.sock");
    const { spawn } = await import("node:child_process");
    const child = spawn(process.execPath, [
      "-e",
      `require("net").createServer().listen(${JSON.stringify(dead)}, () => process.kill(process.pid, "SIGKILL"))`,
    ]);
    await once(child, "exit");
    await using ch = createChClient({ socketPath: dead });
    expect(await failure(ch.vm.boot())).toMatchObject({ reason: "refused", sent: false });
  });

  it("by a path that is too long is found out before anything is done", () => {
    const tooLong = `/${"ä".repeat(54)}`;
    expect(() => createChClient({ socketPath: tooLong })).toThrow(ChInvalidRequestError);
    expect(() => createChClient({ socketPath: tooLong })).toThrow(/109 bytes/);
    expect(() => createChClient({ socketPath: `/${"a".repeat(106)}` })).not.toThrow();
  });

  it("is waited for when the call says so, also by calls that change something", async () => {
    await using server = await ApiServer.start(() => ok);
    const late = join(server.socketPath, "..", "late.sock");
    await using ch = createChClient({ socketPath: late, waitForSocketMs: 10_000 });
    const booting = ch.vm.boot();
    expect(await failure(ch.vm.pause({ timeoutMs: 30 }))).toMatchObject({
      code: "CH_TIMEOUT",
      sent: false,
    });
    await using started = await ApiServer.start(() => ok, late);
    await booting;
    expect(started.requests.map(({ path }) => path)).toEqual(["/api/v1/vm.boot"]);
    expect(
      await failure(createChClient({ socketPath: `${late}x` }).vm.boot({ waitForSocketMs: 20 })),
    ).toMatchObject({ reason: "missing" });
    expect(
      await failure(
        createChClient({ socketPath: `${late}x` }).vm.boot({
          waitForSocketMs: 5_000,
          timeoutMs: 200,
        }),
      ),
    ).toMatchObject({
      code: "CH_TIMEOUT",
      sent: false,
      cause: { reason: "missing" },
    });
  });
});

describe("a repeat", () => {
  it("of a read is made when its connection was closed", async () => {
    const replies: Reply[] = ["close", "close", { status: 200, body: pong }];
    await using server = await ApiServer.start(() => replies.shift() ?? "close");
    await using ch = createChClient(server);
    expect((await ch.vmm.ping()).pid).toBe(22829);
    expect(server.requests).toHaveLength(3);
  });

  it("of a read is given up after a few", async () => {
    await using server = await ApiServer.start(() => "close");
    await using ch = createChClient(server);
    expect(await failure(ch.vm.info())).toMatchObject({ reason: "closed" });
    expect(server.requests).toHaveLength(5);
  });

  it("of a read is made when the VMM has no room for a connection, and of a change is not", async () => {
    await using server = await ApiServer.start(() => ({ status: 200, body: pong }));
    server.maxConnections = 0;
    await using ch = createChClient(server);
    const change = await failure(ch.vm.boot());
    expect(
      ChApiError.is(change) ? change.status : ChConnectionError.is(change) && change.reason,
    ).toBeOneOf([503, "closed"]);
    expect(server.connections).toBe(1);
    const ping = ch.vmm.ping();
    await expect.poll(() => server.connections).toBeGreaterThan(1);
    server.maxConnections = 10;
    expect((await ping).pid).toBe(22829);
  });

  it("of a change is never made when its connection was closed", async () => {
    await using server = await ApiServer.start(() => "close");
    await using ch = createChClient(server);
    await failure(ch.vm.pause({ waitForSocketMs: 1_000 }));
    expect(server.requests).toHaveLength(1);
  });

  it("is not made of a change whose kept connection had been closed before, which is sent once, on a new one", async () => {
    await using server = await ApiServer.start(() => ok);
    await using ch = createChClient(server);
    await ch.vm.pause();
    server.drop();
    await expect.poll(() => server.openConnections).toBe(0);
    await ch.vm.resume();
    expect(server.requests.map(({ path, connection }) => [path, connection])).toEqual([
      ["/api/v1/vm.pause", 1],
      ["/api/v1/vm.resume", 2],
    ]);
  });
});

describe("the end of a call", () => {
  it("by its deadline is a time-out", async () => {
    await using server = await ApiServer.start(() => "hang");
    await using ch = createChClient(server);
    const error = await failure(ch.vm.boot({ timeoutMs: 30 }));
    expect(ChTimeoutError.is(error)).toBe(true);
    expect(error).toMatchObject({
      code: "CH_TIMEOUT",
      operation: "vm.boot",
      timeoutMs: 30,
      sent: true,
      message: "vm.boot: no answer within 30 ms",
    });
  });

  it("by the caller's signal is an AbortError with the signal's reason", async () => {
    await using server = await ApiServer.start(() => "hang");
    await using ch = createChClient(server);
    const controller = new AbortController();
    const call = failure(ch.vm.boot({ signal: controller.signal }));
    await expect.poll(() => server.requests.length).toBe(1);
    const reason = { why: "the user left" };
    controller.abort(reason);
    const error = await call;
    expect(ChAbortError.is(error) && error.cause).toBe(reason);
    expect(error).toMatchObject({ name: "AbortError", code: "CH_ABORTED", sent: true });
  });

  it("by a signal that had aborted before comes without a connection", async () => {
    await using server = await ApiServer.start(() => ok);
    await using ch = createChClient(server);
    expect(await failure(ch.vm.boot({ signal: AbortSignal.abort("no") }))).toMatchObject({
      code: "CH_ABORTED",
      cause: "no",
      sent: false,
    });
    expect(server.connections).toBe(0);
  });

  it("while it waits for the calls before it leaves it unsent", async () => {
    const release = Promise.withResolvers<void>();
    await using server = await ApiServer.start(async () => {
      await release.promise;
      return ok;
    });
    await using ch = createChClient(server);
    const first = ch.vm.boot();
    const controller = new AbortController();
    const aborted = failure(ch.vm.pause({ signal: controller.signal }));
    const late = await failure(ch.vm.resume({ timeoutMs: 20 }));
    expect(late).toMatchObject({
      code: "CH_TIMEOUT",
      sent: false,
      message: "vm.resume: the calls before it were not done within 20 ms",
    });
    controller.abort();
    expect(await aborted).toMatchObject({
      code: "CH_ABORTED",
      sent: false,
      cause: { name: "AbortError" },
    });
    release.resolve();
    await first;
    await ch.vm.delete();
    expect(server.requests.map(({ path }) => path)).toEqual([
      "/api/v1/vm.boot",
      "/api/v1/vm.delete",
    ]);
  });

  it("by time-out does not let its late answer be taken for the next call's", async () => {
    const release = Promise.withResolvers<void>();
    await using server = await ApiServer.start(async ({ path }) => {
      if (path.endsWith("vm.boot")) await release.promise;
      return path.endsWith("vm.boot")
        ? { status: 500, body: '["late"]' }
        : { status: 200, body: pong };
    });
    await using ch = createChClient(server);
    await failure(ch.vm.boot({ timeoutMs: 20 }));
    const ping = ch.vmm.ping();
    release.resolve();
    expect((await ping).pid).toBe(22829);
  });

  it("has no default deadline where the VMM may take as long as it needs, and one elsewhere that can be changed", async () => {
    const { operations } = await import("./operations.ts");
    expect(operations["vm.snapshot"].timeoutMs).toBe(0);
    expect(operations["vm.add-fs"].timeoutMs).toBeGreaterThan(60_000);
    await using server = await ApiServer.start(() => "hang");
    await using ch = createChClient({
      socketPath: server.socketPath,
      timeouts: { "vm.pause": 25 },
    });
    expect(await failure(ch.vm.pause())).toMatchObject({ code: "CH_TIMEOUT", timeoutMs: 25 });
    expect(await failure(ch.vm.pause({ timeoutMs: -1 }))).toBeInstanceOf(RangeError);
  });
});

describe("vmm.shutdown", () => {
  it("says whether an answer came or the VMM was faster", async () => {
    const replies: Reply[] = [{ status: 200, body: "" }, "close"];
    await using server = await ApiServer.start(() => replies.shift() ?? "hang");
    await using ch = createChClient(server);
    expect(await ch.vmm.shutdown()).toBe("answered");
    expect(await ch.vmm.shutdown()).toBe("closed");
    expect(await failure(ch.vmm.shutdown({ timeoutMs: 20 }))).toMatchObject({ code: "CH_TIMEOUT" });
  });

  it("of a VMM that is not there is a failure", async () => {
    await using ch = createChClient({ socketPath: "/nonexistent/api.sock" });
    expect(await failure(ch.vmm.shutdown())).toMatchObject({
      code: "CH_CONNECTION",
      reason: "missing",
    });
  });
});

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
    const { spawn } = await import("node:child_process");
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
