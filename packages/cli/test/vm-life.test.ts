import { access, appendFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSandbox, type Sandbox } from "./support/sandbox.ts";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await makeSandbox();
});
afterAll(() => sandbox[Symbol.asyncDispose]());

/** On a slow machine a command says on stderr what it is doing. */
function withoutProgress(stderr: string): string {
  return stderr.replaceAll(/^[a-z].*\n/gm, "");
}

const idPattern = /^[0-9a-f]{16}$/;

describe("before there is any VM", () => {
  it("lists nothing, and writes nothing", async () => {
    expect(await sandbox.ok("vm", "list")).toBe(
      "ID  NAME  STATE  CPUS  MEMORY  STORAGE  NICS  IMAGE  CREATED  UPTIME",
    );
    expect(await sandbox.json("vm", "list")).toEqual([]);
    expect(await sandbox.ok("vm", "list", "--quiet")).toBe("");
    expect(await sandbox.ok("events", "--json")).toBe("");
    await expect(access(join(sandbox.dir, "root"))).rejects.toThrow("ENOENT");
  });
});

describe("the life of a VM", () => {
  it("goes from create to rm, each command printing ids alone on stdout", async () => {
    const { vmFlags, ok, json } = sandbox;
    const created = await sandbox.silk([
      "vm",
      "create",
      "--name",
      "web",
      "--label",
      "team=web",
      ...vmFlags,
    ]);
    expect(created.code).toBe(0);
    const id = created.stdout.trimEnd();
    expect(id).toMatch(idPattern);

    expect(await ok("vm", "start", "web")).toBe(id);
    expect(await ok("vm", "start", id.slice(0, 6))).toBe(id);
    expect(await json("vm", "list")).toEqual([
      expect.objectContaining({ id, name: "web", state: "running", labels: { team: "web" } }),
    ]);
    expect(await ok("vm", "ls", "--filter", "state=running", "--filter", "team=web", "-q")).toBe(
      id,
    );
    expect(await ok("vm", "list", "--filter", "state=stopped", "-q")).toBe("");
    expect(await ok("vm", "status")).toContain("web   running");

    expect(await json("vm", "inspect", "web")).toMatchObject({ id, observed: { vmm: "running" } });
    expect(await ok("vm", "inspect", "web")).toContain(
      `ID       ${id}\nName     web\nState    running`,
    );

    expect(await ok("vm", "stop", "web", "--force")).toBe(id);
    expect(await ok("vm", "stop", "web")).toBe(id);
    expect(await ok("vm", "rm", "web")).toBe(id);
    expect(await json("vm", "list")).toEqual([]);
    const events = await ok("events", "--json");
    expect(events.split("\n").map((line) => JSON.parse(line).type)).toEqual([
      "vm.created",
      "vm.started",
      "vm.stopped",
      "vm.deleted",
    ]);
    const last = JSON.parse(events.split("\n").at(-2) ?? "");
    expect(await ok("events", "--after", String(last.seq))).toMatch(
      new RegExp(`^\\d+  \\S+  vm.deleted  web  \\(${id}\\)$`),
    );
  });

  it("is made and started at once by run, with an id of the caller's", async () => {
    const { vmFlags, ok, json } = sandbox;
    expect(await json("vm", "run", "--id", "job-1", "--name", "job", ...vmFlags)).toEqual({
      id: "job-1",
      name: "job",
    });
    expect(await json("vm", "create", "--id", "job-1", ...vmFlags)).toMatchObject({
      error: { code: "VM_EXISTS", kind: "conflict" },
    });
    expect((await sandbox.silk(["vm", "rm", "job"])).code).toBe(4);
    expect(await ok("vm", "rm", "--force", "job")).toBe("job-1");
  });

  it("leaves a VM that was made and does not start, and says so", async () => {
    const env = {
      CH_SIM_FAULTS: JSON.stringify([{ call: "*", action: "exit", code: 1 }]),
    };
    const args = ["vm", "run", ...sandbox.vmFlags, "--name"];
    const { code, stdout, stderr } = await sandbox.silk([...args, "broken"], { env });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^The VM broken \([0-9a-f]{16}\) is made, and does not run\.\nError: /m);
    const told = await sandbox.silk([...args, "dead", "--json"], { env });
    expect(told.code).toBe(1);
    const { id, name, error } = JSON.parse(told.stdout);
    expect([name, error.code]).toEqual(["dead", "VMM_EXITED"]);
    const broken = await sandbox.ok("vm", "list", "-q", "--filter", "name=broken");
    expect(await sandbox.ok("vm", "rm", "broken", "dead")).toBe(`${broken}\n${id}`);
  });
});

describe("several VMs at once", () => {
  it("are each tried; the exit code is that of the first failure", async () => {
    const { vmFlags, ok, json } = sandbox;
    const a = await ok("vm", "create", "--name", "a", ...vmFlags);
    const b = await ok("vm", "create", "--name", "b", ...vmFlags);
    const started = await sandbox.silk(["vm", "start", "a", "nosuch", "b"]);
    expect(started).toMatchObject({ code: 3, stdout: `${a}\n${b}\n` });
    expect(withoutProgress(started.stderr)).toBe(
      'Error: there is no VM "nosuch"\nHint: `silk vm list` shows the VMs that there are.\n',
    );
    expect(await json("vm", "rm", "a", "nosuch")).toMatchObject({
      done: [],
      failed: [
        { ref: "a", error: { kind: "conflict" } },
        { ref: "nosuch", error: { code: "VM_NOT_FOUND" } },
      ],
      error: { kind: "conflict" },
    });
    expect((await sandbox.silk(["vm", "rm", "a", "nosuch"])).code).toBe(4);
    expect(await json("vm", "stop", "a", "b", "--force")).toEqual({ done: [a, b], failed: [] });
    expect(await json("vm", "inspect", "b", "nosuch", "a")).toEqual([
      expect.objectContaining({ id: b }),
      { ref: "nosuch", error: expect.objectContaining({ code: "VM_NOT_FOUND" }) },
      expect.objectContaining({ id: a }),
    ]);
    expect((await sandbox.silk(["vm", "inspect", "b", "nosuch"])).code).toBe(3);
    expect(await ok("vm", "rm", "a", "b")).toBe(`${a}\n${b}`);
  });
});

describe("vm debug", () => {
  it("prints a command line that a shell takes apart as it was put together", async () => {
    const { vmFlags, ok, json } = sandbox;
    const flags = [...vmFlags, "--id", "d", "--cmdline", "console=hvc0 it's=$HOME"];
    const words = await json<string[]>("vm", "debug", ...flags);
    expect(words).toContain("console=hvc0 it's=$HOME");
    expect(words[0]).toBe(sandbox.env["SILK_CH_BINARY"]);
    expect(await ok("vm", "debug", ...flags)).toContain(
      String.raw`--cmdline 'console=hvc0 it'\''s=$HOME'`,
    );
    const withDisk = flags.map((flag, index) => (flags[index - 1] === "--storage" ? "16M" : flag));
    const lines = (await ok("vm", "debug", ...withDisk)).split("\n");
    expect(lines.map((line) => line.split(" ")[0])).toEqual([
      "mkdir",
      "truncate",
      "mkfs.ext4",
      sandbox.env["SILK_CH_BINARY"],
    ]);
  });
});

describe("vm logs", () => {
  it("prints lines, the last ones where that is wanted, and JSON for programs", async () => {
    const { vmFlags, ok, json } = sandbox;
    await ok("vm", "run", "--name", "talkative", ...vmFlags);
    const { paths } = await json<{ paths: { logPath: string } }>("vm", "inspect", "talkative");
    await appendFile(paths.logPath, "one\ntwo\nthree\n");
    expect(await ok("vm", "logs", "talkative", "--tail", "2")).toBe("two\nthree");
    expect(await json("vm", "logs", "talkative", "-n", "1")).toEqual([{ line: "three" }]);
    expect((await sandbox.silk(["vm", "logs", "nosuch"])).code).toBe(3);
    await ok("vm", "rm", "-f", "talkative");
  });
});

describe("gc", () => {
  it("tells what no VM owns, and removes it", async () => {
    const { ok, json } = sandbox;
    const stray = join(sandbox.dir, "root/vms/stray");
    await mkdir(stray, { recursive: true });
    const told = [{ kind: "data", name: stray, why: "no VM has the id stray" }];
    expect(await json("gc", "--dry-run")).toEqual(told);
    expect(await ok("gc", "--dry-run")).toBe(
      `KIND  NAME${" ".repeat(stray.length - 2)}WHY\ndata  ${stray}  no VM has the id stray`,
    );
    expect(await json("gc")).toEqual(told);
    await expect(access(stray)).rejects.toThrow("ENOENT");
    const again = await sandbox.silk(["gc"]);
    expect([again.stdout, withoutProgress(again.stderr)]).toEqual([
      "",
      "There is nothing to remove.\n",
    ]);
  });
});
