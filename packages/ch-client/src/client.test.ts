import { rm } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ApiServer, type Reply } from "../test/support/api-server.ts";
import { failure } from "../test/support/failure.ts";
import { errorAnswer } from "../test/support/fixtures.ts";
import { createChClient } from "./client.ts";
import { ChApiError, ChInvalidRequestError, ChProtocolError } from "./errors.ts";

const pong =
  '{"build_version":"v53.0-dirty","version":"53.0.0","pid":22829,"features":["io_uring","kvm"]}';
const ok: Reply = { status: 204 };

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
