import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ApiServer, type Reply } from "../test/support/api-server.ts";
import { errorAnswer, vmInfoAnswers } from "../test/support/fixtures.ts";
import { createChClient } from "./client.ts";
import { waitForApi, waitForState } from "./wait.ts";

const pong = '{"build_version":"v53.0","version":"53.0.0","pid":7,"features":[]}';
const infoOf = (state: string): Reply => ({
  status: 200,
  body: vmInfoAnswers.find((answer) => JSON.parse(answer).state === state) ?? "",
});
const notCreated: Reply = errorAnswer("vm.info", "VM is not created");

describe("waiting for the API", () => {
  it("goes on until the socket is there and answers", async () => {
    await using other = await ApiServer.start(() => "close");
    const socketPath = join(other.socketPath, "..", "late.sock");
    await using ch = createChClient({ socketPath });
    let looks = 0;
    const ready = waitForApi(ch, { isAlive: () => ++looks > 0 });
    await expect.poll(() => looks).toBeGreaterThan(2);
    await using late = await ApiServer.start(() => ({ status: 200, body: pong }), socketPath);
    expect((await ready).pid).toBe(7);
    expect(late.requests).toHaveLength(1);
  });

  it("ends at once when the process has ended", async () => {
    await using ch = createChClient({ socketPath: "/nonexistent/api.sock" });
    let alive = true;
    const waiting = waitForApi(ch, { isAlive: async () => alive });
    alive = false;
    await expect(waiting).rejects.toMatchObject({
      code: "CH_VMM_ENDED",
      cause: { reason: "missing" },
    });
  });

  it("ends with the deadline, which bounds a call that hangs too, and says what was seen last", async () => {
    await using ch = createChClient({ socketPath: "/nonexistent/api.sock" });
    await expect(waitForApi(ch, { timeoutMs: 20 })).rejects.toMatchObject({
      code: "CH_TIMEOUT",
      message: "Waited 20 ms in vain until its API answered",
      cause: { reason: "missing" },
    });
    await using hanging = await ApiServer.start(() => "hang");
    await using other = createChClient(hanging);
    await expect(waitForApi(other, { timeoutMs: 20 })).rejects.toMatchObject({
      code: "CH_TIMEOUT",
    });
  });

  it("ends with the caller's signal and its reason", async () => {
    await using ch = createChClient({ socketPath: "/nonexistent/api.sock" });
    const controller = new AbortController();
    const waiting = waitForApi(ch, { signal: controller.signal });
    controller.abort("enough");
    await expect(waiting).rejects.toMatchObject({
      code: "CH_ABORTED",
      name: "AbortError",
      cause: "enough",
    });
  });

  it("ends with an error that waiting does not mend", async () => {
    await using server = await ApiServer.start(() => ({ status: 400, body: '["Bad Request"]' }));
    await using ch = createChClient(server);
    await expect(waitForApi(ch)).rejects.toMatchObject({ code: "CH_API", status: 400 });
    expect(server.requests).toHaveLength(1);
  });
});

describe("waiting for a state", () => {
  it("looks again while there is no VM and while it is in another state", async () => {
    const replies: Reply[] = [notCreated, notCreated, infoOf("Created"), infoOf("Running")];
    await using server = await ApiServer.start(() => replies.shift() ?? "hang");
    await using ch = createChClient(server);
    expect((await waitForState(ch, "Running")).state).toBe("Running");
    expect(server.requests).toHaveLength(4);
  });

  it("is content with any of several states", async () => {
    await using server = await ApiServer.start(() => infoOf("Paused"));
    await using ch = createChClient(server);
    expect((await waitForState(ch, ["Running", "Paused"])).state).toBe("Paused");
  });

  it("notices that the VMM ended in the meantime", async () => {
    const replies: Reply[] = [infoOf("Created")];
    await using server = await ApiServer.start(() => replies.shift() ?? "close");
    await using ch = createChClient(server);
    await expect(waitForState(ch, "Running", { isAlive: () => false })).rejects.toMatchObject({
      code: "CH_VMM_ENDED",
      message: "The VMM ended before the VM was Running",
    });
  });
});
