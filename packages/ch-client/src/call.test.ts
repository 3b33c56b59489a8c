import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ApiServer, type Reply } from "../test/support/api-server.ts";
import { failure } from "../test/support/failure.ts";
import { createChClient } from "./client.ts";
import {
  ChAbortError,
  ChApiError,
  ChConnectionError,
  ChInvalidRequestError,
  ChTimeoutError,
} from "./errors.ts";
import { operations } from "./operations.ts";

const pong =
  '{"build_version":"v53.0-dirty","version":"53.0.0","pid":22829,"features":["io_uring","kvm"]}';
const ok: Reply = { status: 204 };

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
