import { open } from "node:fs/promises";
import { getWindowSize } from "@silkvm/sys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSandbox, outcomeOf, type Sandbox } from "./support/sandbox.ts";
import { runOnTerminal } from "./support/terminal.ts";

/** What `vm.info` answers of the console: the PTY is a file. */
interface Inspected {
  readonly observed: {
    readonly raw: { readonly config: { readonly console: { readonly file: string } } };
  };
}

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await makeSandbox();
  await sandbox.ok("vm", "run", "--name", "web", ...sandbox.vmFlags);
  await sandbox.ok("vm", "create", "--name", "idle", ...sandbox.vmFlags);
});
afterAll(() => sandbox[Symbol.asyncDispose]());

describe("vm console in a pipe", () => {
  it("sends stdin, prints the answer, and ends once the guest is silent", async () => {
    const args = ["vm", "console", "web", "--idle-timeout", "3s"];
    const { code, stdout, stderr } = await sandbox.silk(args, { input: "echo are-you-there\n" });
    expect(stdout).toContain("are-you-there\r\n");
    expect([code, stderr]).toEqual([0, ""]);
  });

  it("gives the guest every byte, the escape character too", async () => {
    const { stdout, code } = await sandbox.silk(["vm", "console", "web", "--idle-timeout", "3s"], {
      input: "\u001d.echo still-here\n",
    });
    expect(stdout).toContain("still-here\r\n");
    expect(code).toBe(0);
  });

  it("talks to a guest that boots by firmware over its serial socket", async () => {
    const { vmFlags } = sandbox;
    const firmware = vmFlags.map((flag) => (flag === "--kernel" ? "--firmware" : flag));
    await sandbox.ok("vm", "run", "--name", "uefi", ...firmware);
    const args = ["vm", "console", "uefi", "--idle-timeout", "3s"];
    const { code, stdout } = await sandbox.silk(args, { input: "echo over-serial\n" });
    expect(stdout).toContain("over-serial\r\n");
    expect(code).toBe(0);
  });

  it("waits for the guest's end where it may be silent for ever", async () => {
    await sandbox.ok("vm", "run", "--name", "short", ...sandbox.vmFlags);
    const child = sandbox.spawn(["vm", "console", "short", "--idle-timeout", "0"], {
      input: "echo before-the-end\n",
    });
    const outcome = outcomeOf(child);
    await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
    await sandbox.ok("vm", "stop", "short", "--force");
    expect(await outcome).toMatchObject({ code: 0 });
  });

  it("ends with 6 where --timeout passes first", async () => {
    const args = ["vm", "console", "web", "--idle-timeout", "0", "--timeout", "700ms"];
    const { code, stderr } = await sandbox.silk(args);
    expect(code).toBe(6);
    expect(stderr).toContain("Error: the console of web: not done within 700 ms");
  });

  it("is refused for a VM that does not run, and for one that is not there", async () => {
    expect(await sandbox.silk(["vm", "console", "idle"])).toMatchObject({
      code: 4,
      stdout: "",
      stderr: expect.stringContaining("Error: the VM idle does not run: its state is created"),
    });
    expect((await sandbox.silk(["vm", "console", "nosuch"])).code).toBe(3);
  });
});

describe("vm console on a terminal", () => {
  it("is raw, helps, sends the escape character when it is typed twice, and leaves", async () => {
    await using terminal = runOnTerminal(sandbox, ["vm", "console", "web"]);
    const before = terminal.settings();
    await terminal.see(/Connected to the console of web\. \^\] \. leaves, \^\] \? helps\./);
    terminal.type("echo typed\r");
    await terminal.see(/typed\r\n.*\btyped\r\n/s);
    expect(terminal.settings()).not.toBe(before);
    terminal.type("\u001d?");
    await terminal.see(/\^\] \. {2}leave the console; the VM goes on/);
    terminal.type("\u001d\u001d\u001d.");
    await terminal.see(/Left the console of web\./);
    expect(await terminal.ended()).toBe(0);
    expect(terminal.settings()).toBe(before);
  });

  it("takes another escape character, or none", async () => {
    await using terminal = runOnTerminal(sandbox, ["vm", "console", "web", "--escape-char", "^A"]);
    await terminal.see(/\^A \. leaves/);
    terminal.type("\u001d.echo not-left\r");
    await terminal.see(/not-left\r\n/);
    terminal.type("\u0001.");
    expect(await terminal.ended()).toBe(0);
  });

  it("passes the size of the window on, and each new one", async () => {
    await using terminal = runOnTerminal(sandbox, ["vm", "console", "web"]);
    await terminal.see(/Connected/);
    const { observed } = await sandbox.json<Inspected>("vm", "inspect", "web");
    const pty = await open(observed.raw.config.console.file, "r+");
    expect(getWindowSize(pty.fd)).toEqual({ rows: 24, columns: 80 });
    terminal.resize({ rows: 50, columns: 132 });
    await expect.poll(() => getWindowSize(pty.fd)).toEqual({ rows: 50, columns: 132 });
    await pty.close();
    terminal.type("\u001d.");
    expect(await terminal.ended()).toBe(0);
  });

  it("gives the terminal back when it is ended from outside", async () => {
    await using terminal = runOnTerminal(sandbox, ["vm", "console", "web"]);
    const before = terminal.settings();
    await terminal.see(/Connected/);
    terminal.type("echo raw-now\r");
    await terminal.see(/raw-now\r\n/);
    terminal.child.kill("SIGTERM");
    expect(await terminal.ended()).toBe(130);
    expect(terminal.settings()).toBe(before);
    await terminal.see(/Error: the console of web: aborted/);
  });

  it("gives the terminal back, with its cursor and its screen, when the VM ends", async () => {
    await sandbox.ok("vm", "run", "--name", "ending", ...sandbox.vmFlags);
    await using terminal = runOnTerminal(sandbox, ["vm", "console", "ending"]);
    const before = terminal.settings();
    await terminal.see(/Connected/);
    terminal.type("echo ready\r");
    await terminal.see(/ready\r\n/);
    await sandbox.ok("vm", "stop", "ending", "--force");
    expect(await terminal.ended()).toBe(0);
    await terminal.see(/The console was closed by ending\./);
    expect(terminal.settings()).toBe(before);
  });

  it("keeps the guest's Ctrl-C for the guest", async () => {
    await using terminal = runOnTerminal(sandbox, ["vm", "console", "web"]);
    await terminal.see(/Connected/);
    terminal.type("echo half\u0003");
    await terminal.see(/\^C/);
    terminal.type("\u001d.");
    expect(await terminal.ended()).toBe(0);
  });
});

describe("vm status on a terminal", () => {
  it("draws its table anew in place until Ctrl-C", async () => {
    const statusArgs = ["vm", "status", "web", "idle", "--interval", "100ms"];
    await using terminal = runOnTerminal(sandbox, statusArgs);
    await terminal.see(/ID .*PROBLEM[^]*web +running[^]*ID .*PROBLEM[^]*web +running/);
    expect(terminal.shown()).toContain("\u001b[32mrunning");
    // Three lines up, and everything below is erased: the header and two VMs are drawn over.
    expect(terminal.shown()).toContain("\u001b[3A\r\u001b[J");
    terminal.child.kill("SIGINT");
    expect(await terminal.ended()).toBe(130);
  });

  it("has no colours where somebody said NO_COLOR", async () => {
    await using terminal = runOnTerminal(sandbox, ["vm", "list"], { NO_COLOR: "1" });
    expect(await terminal.ended()).toBe(0);
    await terminal.see(/web +running/);
    expect(terminal.shown()).not.toContain("\u001b");
  });
});
