import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { appendFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSandbox, outcomeOf, type Sandbox } from "./support/sandbox.ts";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await makeSandbox();
});
afterAll(() => sandbox[Symbol.asyncDispose]());

/** The lines of a program that goes on, one after the other. */
function linesOf(child: ChildProcessWithoutNullStreams): () => Promise<string> {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => (await lines.next()).value as string;
}

describe("what goes on until it is interrupted", () => {
  it("prints each event as a line of JSON, and ends quietly with 130", async () => {
    const web = await sandbox.ok("vm", "create", "--name", "web", ...sandbox.vmFlags);
    await sandbox.ok("vm", "create", "--name", "other", ...sandbox.vmFlags);
    const child = sandbox.spawn(["vm", "status", "web", "--events", "--json"]);
    const next = linesOf(child);
    expect(JSON.parse(await next())).toMatchObject({
      type: "vm.status",
      vm: { id: web, state: "created" },
    });
    await sandbox.ok("vm", "start", "other", "web");
    expect(JSON.parse(await next())).toMatchObject({ type: "vm.started", vmName: "web" });
    const [{ pid }] = await sandbox.json<[{ pid: number }]>("vm", "list", "--filter", "name=web");
    process.kill(pid, "SIGKILL");
    expect(JSON.parse(await next())).toMatchObject({
      type: "vm.exited",
      vmName: "web",
      data: { clean: false },
    });
    child.kill("SIGINT");
    const [code] = await new Promise<[number | null]>((resolve) =>
      child.once("close", (...end) => resolve([end[0]])),
    );
    expect(code).toBe(130);
  });

  it("follows a log", async () => {
    await sandbox.ok("vm", "start", "web");
    const { paths } = await sandbox.json<{ paths: { logPath: string } }>("vm", "inspect", "web");
    await appendFile(paths.logPath, "before\n");
    const child = sandbox.spawn(["vm", "logs", "web", "--follow", "--tail", "1", "--json"]);
    const next = linesOf(child);
    expect(await next()).toBe('{"line":"before"}');
    await appendFile(paths.logPath, "after\n");
    expect(await next()).toBe('{"line":"after"}');
    child.kill("SIGTERM");
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect(code).toBe(130);
  });

  it("ends when nobody reads any more", async () => {
    await sandbox.ok("vm", "create", "--name", "unread", ...sandbox.vmFlags);
    const child = sandbox.spawn(["events", "--follow", "--after", "0"]);
    const next = linesOf(child);
    await next();
    child.stdout.destroy();
    const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once("exit", (...end) => resolve(end)),
    );
    // The next event is written to a pipe that has no other end.
    await sandbox.ok("vm", "rm", "unread");
    expect(await ended).toEqual([0, null]);
  });

  it("ends with 6 after --timeout", async () => {
    const { code, stderr } = await sandbox.silk(["events", "--follow", "--timeout", "500ms"]);
    expect([code, stderr]).toEqual([
      6,
      "Error: the events: not done within 500 ms\nHint: Allow more time with --timeout.\n",
    ]);
  });
});

describe("a command that is interrupted", () => {
  beforeAll(async () => {
    await sandbox.ok("vm", "create", "--name", "slow", ...sandbox.vmFlags);
  });

  const slow = { CH_SIM_FAULTS: JSON.stringify([{ call: "*", action: "hang" }]) };

  it("leaves things in order and ends with 130", async () => {
    const child = sandbox.spawn(["vm", "start", "slow"], { env: slow });
    const outcome = outcomeOf(child);
    await untilSpawned(child);
    child.kill("SIGINT");
    const { code, stderr, stdout } = await outcome;
    expect([code, stdout]).toEqual([130, ""]);
    expect(stderr).toMatch(/Error: cannot start slow: aborted\n$/);
    expect(await sandbox.json("vm", "list", "--filter", "name=slow")).toMatchObject([
      { state: "created" },
    ]);
  });

  it("holds its VM meanwhile: who does not want to wait is told so", async () => {
    const child = sandbox.spawn(["vm", "start", "slow"], { env: slow });
    const outcome = outcomeOf(child);
    await untilSpawned(child);
    expect(await sandbox.json("vm", "stop", "slow", "--no-wait")).toMatchObject({
      error: { code: "VM_BUSY", kind: "busy", retryable: true },
    });
    expect((await sandbox.silk(["vm", "rm", "slow", "--no-wait"])).code).toBe(4);
    child.kill("SIGTERM");
    expect((await outcome).code).toBe(130);
  });

  it("ends with 6 where --timeout passes first", async () => {
    const { code, stderr } = await sandbox.silk(["vm", "start", "slow", "--timeout", "1500ms"], {
      env: slow,
    });
    expect(code).toBe(6);
    expect(stderr).toContain("Error: cannot start slow: not done within 1500 ms\n");
  });

  it("says after a second what takes so long, unless a program listens", async () => {
    const people = await sandbox.silk(["vm", "start", "slow", "--timeout", "2s"], { env: slow });
    expect(people.stderr).toMatch(/^starting .*\n/);
    const programs = await sandbox.silk(["vm", "start", "slow", "--timeout", "2s", "--json"], {
      env: slow,
    });
    expect(programs.stderr).toBe("");
    expect(JSON.parse(programs.stdout)).toMatchObject({ done: [], error: { kind: "timeout" } });
  });
});

/** Waits until the VMM of a start is there to be waited for. */
async function untilSpawned(child: ChildProcessWithoutNullStreams): Promise<void> {
  await new Promise<void>((resolve) => child.stderr.once("data", () => resolve()));
}
