import { access } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSandbox, type Sandbox } from "./support/sandbox.ts";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await makeSandbox();
});
afterAll(() => sandbox[Symbol.asyncDispose]());

const idPattern = /^[0-9a-f]{16}$/;

/** On a slow machine a command says on stderr what it is doing. */
function withoutProgress(stderr: string): string {
  return stderr.replaceAll(/^[a-z]+ing .*\n/gm, "");
}

async function running(name: string): Promise<string> {
  return await sandbox.ok("vm", "run", "--name", name, ...sandbox.vmFlags);
}

describe("before there is any snapshot", () => {
  it("lists nothing, and writes nothing", async () => {
    expect(await sandbox.ok("snapshot", "list")).toBe(
      "ID  NAME  VM  CREATED  MEMORY  SIZE  PARENT",
    );
    expect(await sandbox.json("snapshot", "ls")).toEqual([]);
    expect(await sandbox.ok("snapshot", "list", "--quiet")).toBe("");
    await expect(access(join(sandbox.dir, "root"))).rejects.toThrow("ENOENT");
  });

  it("says what is not there", async () => {
    for (const line of ["snapshot inspect nosuch", "vm clone nosuch", "snapshot rm nosuch"]) {
      const { code, stdout, stderr } = await sandbox.silk(line.split(" "));
      expect([code, stdout], line).toEqual([3, ""]);
      expect(withoutProgress(stderr), line).toBe(
        'Error: there is no snapshot "nosuch"\nHint: `silk snapshot list` shows the snapshots that there are.\n',
      );
    }
  });
});

describe("a snapshot", () => {
  let vmId: string;
  beforeAll(async () => {
    vmId = await running("web");
  });

  it("is saved from a VM that runs on, under the VM's name and a number, or under its own", async () => {
    const { ok, json } = sandbox;
    const id = await ok("snapshot", "save", "web");
    expect(id).toMatch(idPattern);
    const saved = await json("snapshot", "save", "web", "--name", "golden", "--description", "it");
    expect(saved).toMatchObject({
      name: "golden",
      description: "it",
      vmId,
      vmName: "web",
      imported: false,
      timings: { pauseMs: expect.any(Number) },
    });
    expect(await json("snapshot", "list")).toMatchObject([
      { id, name: "web-1", memoryBytes: 64 * 1024 ** 2 },
      { name: "golden" },
    ]);
    expect(await ok("snapshot", "ls", "--vm", "web", "-q")).toBe(`${id}\n${String(saved["id"])}`);
    expect(await ok("snapshot", "ls", "--vm", "db", "-q")).toBe("");
    expect(await json("vm", "inspect", "web")).toMatchObject({
      state: "running",
      snapshotIds: [id, saved["id"]],
    });
    expect(await ok("vm", "inspect", "web")).toContain(`web-1 (${id}), golden (`);
  });

  it("is refused under a name that is taken, and of a VM that does not run", async () => {
    const { ok, json, vmFlags } = sandbox;
    expect(await json("snapshot", "save", "web", "--name", "golden")).toMatchObject({
      error: { code: "SNAPSHOT_EXISTS", kind: "conflict" },
    });
    await ok("vm", "create", "--name", "idle", ...vmFlags);
    const { code, stderr } = await sandbox.silk(["snapshot", "save", "idle"]);
    expect(code).toBe(4);
    expect(stderr).toContain("Error: the VM idle does not run");
  });

  it("is shown with all that it holds, to people and to programs", async () => {
    const { ok, json } = sandbox;
    const [golden, nosuch] = await json<[Record<string, unknown>, unknown]>(
      "snapshot",
      "inspect",
      "golden",
      "nosuch",
    );
    expect(golden).toMatchObject({ name: "golden", manifest: { format: "silk-snapshot" } });
    expect(nosuch).toMatchObject({ ref: "nosuch", error: { code: "SNAPSHOT_NOT_FOUND" } });
    const text = await ok("snapshot", "inspect", "golden");
    expect(text).toMatch(/^Name +golden$/m);
    expect(text).toMatch(new RegExp(`^VM +web \\(${vmId}\\)$`, "m"));
    expect(text).toContain("memory-ranges");
  });

  it("is removed, each of several, and VMs that came from it live on", async () => {
    const { ok, json } = sandbox;
    const clone = await ok("vm", "clone", "web-1", "--name", "survivor");
    const [first] = await json<{ id: string }[]>("snapshot", "list");
    const removed = await sandbox.silk(["snapshot", "rm", "nosuch", "web-1"]);
    expect([removed.code, removed.stdout]).toEqual([3, `${first?.id}\n`]);
    expect(await json("vm", "inspect", "survivor")).toMatchObject({
      id: clone,
      state: "running",
      parentSnapshotId: first?.id,
    });
    expect(await ok("vm", "inspect", "survivor")).toContain(`not here (${first?.id})`);
    await ok("vm", "rm", "-f", "survivor");
  });
});

describe("clones", () => {
  it("are made one by one, with what is said of their memory", async () => {
    const { json, ok } = sandbox;
    const { code, stdout, stderr } = await sandbox.silk(["vm", "clone", "golden", "--name", "one"]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^[0-9a-f]{16}\n$/)]);
    expect(withoutProgress(stderr)).toMatch(
      /^(mapped copy-on-write: .*; --restore-mode copy avoids that\n)?$/,
    );
    const copied = await sandbox.silk(["vm", "clone", "golden", "--restore-mode", "copy"]);
    expect([copied.code, withoutProgress(copied.stderr)]).toEqual([0, ""]);
    const told = await json("vm", "clone", "golden", "--id", "job-7", "--label", "a=b");
    expect(told).toMatchObject({
      id: "job-7",
      name: "vm-job-7",
      memory: { requested: "auto", limits: expect.any(Array) },
      timings: { totalMs: expect.any(Number) },
    });
    expect(await json("vm", "clone", "golden", "--id", "job-7")).toMatchObject({
      error: { code: "VM_EXISTS" },
    });
    expect(await json("vm", "inspect", "job-7")).toMatchObject({
      state: "running",
      labels: { a: "b" },
    });
    expect(await ok("vm", "inspect", "one")).toMatch(/^Restored\n {2}From +golden /m);
    await ok("vm", "rm", "-f", "one", "job-7", copied.stdout.trim());
  });

  it("are made side by side, numbered, and what holds for all is said once", async () => {
    const { json, ok } = sandbox;
    const many = await sandbox.silk(["vm", "clone", "golden", "--count", "5", "--name", "c"]);
    expect(many.code).toBe(0);
    const ids = many.stdout.trimEnd().split("\n");
    expect(new Set(ids).size).toBe(5);
    expect(many.stderr.split("--restore-mode copy").length).toBeLessThanOrEqual(2);
    const vms = await json<{ id: string; name: string }[]>("vm", "list", "--filter", "name=c-*");
    expect(new Map(vms.map(({ id, name }) => [id, name]))).toEqual(
      new Map(ids.map((id, index) => [id, `c-${index + 1}`])),
    );
    await ok("vm", "rm", "-f", ...ids);
  });

  it("are each tried; which failed and why is told, and the exit code is that of the first", async () => {
    const { json, ok, vmFlags } = sandbox;
    await ok("vm", "create", "--name", "d-2", ...vmFlags);
    const some = await sandbox.silk(["vm", "clone", "golden", "--count", "3", "--name", "d"]);
    expect(some.code).toBe(4);
    expect(some.stdout.trimEnd().split("\n")).toHaveLength(2);
    expect(some.stderr).toMatch(/^Error: d-2: .*d-2/m);
    const again = await json<unknown[]>("vm", "clone", "golden", "--count", "4", "--name", "d");
    expect(again).toEqual([
      { name: "d-1", error: expect.objectContaining({ code: "VM_EXISTS" }) },
      { name: "d-2", error: expect.objectContaining({ code: "VM_EXISTS" }) },
      { name: "d-3", error: expect.objectContaining({ code: "VM_EXISTS" }) },
      expect.objectContaining({ name: "d-4", id: expect.any(String) }),
    ]);
    await ok("vm", "rm", "-f", "d-1", "d-2", "d-3", "d-4");
  });

  it("of what is not there fail alike, which is told once", async () => {
    const { code, stdout, stderr } = await sandbox.silk(["vm", "clone", "nosuch", "--count", "5"]);
    expect([code, stdout]).toEqual([3, ""]);
    expect(withoutProgress(stderr)).toBe(
      'Error: clone 1, clone 2, clone 3 and 2 more: there is no snapshot "nosuch"\nHint: `silk snapshot list` shows the snapshots that there are.\n',
    );
  });
});

describe("a restore", () => {
  it("takes a VM back to a snapshot of its own, and to another's by force", async () => {
    const { ok, json } = sandbox;
    const [{ id }] = await json<[{ id: string }]>("vm", "list", "--filter", "name=web");
    expect(await ok("vm", "restore", "web", "golden")).toBe(id);
    await ok("vm", "stop", "web", "--force");
    expect(await json("vm", "restore", "web", "golden")).toMatchObject({
      id,
      name: "web",
      memory: { used: "copy" },
      timings: { totalMs: expect.any(Number) },
    });
    expect(await json("vm", "inspect", "web")).toMatchObject({ state: "running" });
    const other = await running("other");
    expect(await json("vm", "restore", "other", "golden")).toMatchObject({
      error: { code: "SNAPSHOT_FOREIGN" },
    });
    expect(await ok("vm", "restore", "--force", "other", "golden")).toBe(other);
    await ok("vm", "rm", "-f", "other");
  });
});

describe("hibernation", () => {
  it("ends a VM, which goes on where it was when it is woken", async () => {
    const { ok, json } = sandbox;
    const id = await running("sleepy");
    expect(await ok("vm", "hibernate", "sleepy")).toBe(id);
    expect(await json("vm", "inspect", "sleepy")).toMatchObject({
      state: "stopped",
      hibernatedIn: expect.any(String),
    });
    expect(await ok("vm", "inspect", "sleepy")).toMatch(
      /^Hibernated +in \S+ \(\w+\); `silk vm wake sleepy` goes on from there$/m,
    );
    const started = await sandbox.silk(["vm", "start", "sleepy"]);
    expect(started.code).toBe(4);
    expect(started.stderr).toContain("silk vm start --cold sleepy");
    expect(await ok("vm", "wake", "sleepy")).toBe(id);
    expect(await ok("snapshot", "list", "--vm", "sleepy", "-q")).toBe("");
    expect((await sandbox.silk(["vm", "wake", "sleepy"])).code).toBe(4);
  });

  it("keeps a snapshot that was given a name, and is given up by a cold start", async () => {
    const { ok, json } = sandbox;
    const told = await json("vm", "hibernate", "sleepy", "--name", "kept");
    expect(told).toMatchObject({
      name: "sleepy",
      snapshot: { name: "kept", vmId: told["id"], timings: expect.any(Object) },
    });
    expect((await sandbox.silk(["snapshot", "rm", "kept"])).code).toBe(4);
    expect(await ok("vm", "start", "--cold", "sleepy")).toBe(told["id"]);
    expect(await json("snapshot", "list", "--vm", "sleepy")).toMatchObject([{ name: "kept" }]);
    await ok("vm", "rm", "-f", "sleepy");
  });
});

describe("what happened", () => {
  it("is told with the snapshot's name", async () => {
    const lines = await sandbox.ok("events");
    expect(lines).toMatch(
      / {2}snapshot\.saved {2}web {2}\(\w+\) {2}snapshot=web-1 \(\w+\) {2}tookMs=/,
    );
    const types = new Set(lines.split("\n").map((line) => line.split("  ")[2]));
    for (const type of [
      "snapshot.deleted",
      "vm.cloned",
      "vm.restored",
      "vm.hibernated",
      "vm.woken",
    ])
      expect(types).toContain(type);
  });
});

describe("completion", () => {
  it("offers snapshots by name, or by an id that was begun", async () => {
    const { ok, json } = sandbox;
    const [{ id }] = await json<[{ id: string }]>("snapshot", "list", "--vm", "web");
    const complete = async (...words: string[]): Promise<string> =>
      await ok("__complete", "fish", "--", ...words);
    expect(await complete("vm", "clone", "")).toBe("golden\tof web\nkept\tof sleepy\n:nothing");
    expect(await complete("vm", "restore", "web", "go")).toBe("golden\tof web\n:nothing");
    expect(await complete("snapshot", "rm", "golden", "kept", "")).toBe(":nothing");
    expect(await complete("snapshot", "rm", id)).toBe(`${id}\tgolden\n:nothing`);
    expect(await complete("snapshot", "save", "")).toContain("web\trunning\n");
  });
});
