import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { VmSummary, VmView } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { type Silk, silkIn } from "./silk.ts";
import { mainTargets } from "./targets.ts";

const { processes } = linuxHost();

describe.each(mainTargets)("silk on $name", (target) => {
  describe.skipIf(target.missing !== undefined)("", () => {
    let sandbox: Sandbox;
    let silk: Silk;
    let direct: string[];
    let firmware: string[];

    beforeAll(async () => {
      sandbox = await makeSandbox(target.chBinary());
      silk = silkIn(sandbox);
      const { boot } = await target.spec();
      const kernel = boot.kernel;
      const size = ["--cpus", "1", "--memory", "64M"];
      direct = ["--kernel", kernel, "--storage", "16M", ...size];
      firmware = ["--firmware", kernel, ...size];
    });
    afterAll(() => sandbox[Symbol.asyncDispose]());

    const state = async (name: string): Promise<string> =>
      (await silk.json<VmView>("vm", "inspect", name)).state;

    it("takes a VM from create to delete", async () => {
      const id = (
        await silk.ok("vm", "create", "--name", "whole", "--label", "tier=test", ...direct)
      ).trim();
      expect(id).toMatch(/^[0-9a-f]{16}$/);
      expect(await silk.ok("vm", "start", "whole")).toBe(`${id}\n`);
      const [listed] = await silk.json<VmSummary[]>("vm", "list", "--filter", "tier=test");
      expect(listed).toMatchObject({
        id,
        name: "whole",
        state: "running",
        cpus: 1,
        memoryBytes: 64 * 1024 ** 2,
      });
      expect(await silk.ok("vm", "list")).toMatch(/whole +running/);
      expect(await silk.ok("vm", "stop", "whole")).toBe(`${id}\n`);
      expect(await state("whole")).toBe("stopped");
      expect(await silk.ok("vm", "rm", "whole")).toBe(`${id}\n`);
      expect(await silk.json("vm", "list")).toEqual([]);
      const events = (await silk.ok("events", "--json"))
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { type: string }).type);
      expect(events).toEqual(["vm.created", "vm.started", "vm.stopped", "vm.deleted"]);
    });

    it("talks to a directly booted guest by its PTY, twice in a row", async () => {
      await silk.ok("vm", "run", "--name", "pty", ...direct);
      for (const _ of [1, 2]) {
        const { code, stdout } = await silk.run(["vm", "console", "pty"], {
          input: `${target.consoleEcho.send}\n`,
        });
        expect(code).toBe(0);
        expect(stdout).toContain(target.consoleEcho.expect);
      }
      await silk.ok("vm", "rm", "--force", "pty");
    });

    it("talks to a guest under firmware by its serial socket, and stops it by the power button", async () => {
      await silk.ok("vm", "run", "--name", "serial", ...firmware);
      const { stdout } = await silk.run(["vm", "console", "serial"], {
        input: `${target.consoleEcho.send}\n`,
      });
      expect(stdout).toContain(target.consoleEcho.expect.trim());
      const { runtime } = await silk.json<VmView>("vm", "inspect", "serial");
      await silk.ok("vm", "stop", "serial", "--timeout", "20s");
      expect(processes.isAlive(runtime!.vmm)).toBe(false);
      expect(await state("serial")).toBe("stopped");
      await silk.ok("vm", "rm", "serial");
    });

    it("shows a VMM that was killed, in the list and in the events, and starts the VM again", async () => {
      const following = silk.start(["events", "--follow", "--json"]);
      await silk.ok("vm", "run", "--name", "killed", ...direct);
      const { runtime } = await silk.json<VmView>("vm", "inspect", "killed");
      process.kill(runtime!.vmm.pid, "SIGKILL");
      await processes.waitForExit(runtime!.vmm, { timeoutMs: 5_000 });
      const [listed] = await silk.json<VmSummary[]>("vm", "list", "--filter", "name=killed");
      expect(listed).toMatchObject({ state: "error", pid: null, problem: { code: "VMM_DIED" } });
      await expect
        .poll(() => following.lines.map((line) => (JSON.parse(line) as { type: string }).type), {
          timeout: 10_000,
        })
        .toContain("vm.exited");
      following.child.kill("SIGINT");
      expect(await following.ended).toBe(130);
      await silk.ok("vm", "start", "killed");
      const { runtime: second } = await silk.json<VmView>("vm", "inspect", "killed");
      process.kill(second!.vmm.pid, "SIGKILL");
      await processes.waitForExit(second!.vmm, { timeoutMs: 5_000 });
      expect((await silk.ok("events")).trim().split("\n").at(-1)).toMatch(/vm\.exited\s+killed/);
      await silk.ok("vm", "start", "killed");
      expect(await state("killed")).toBe("running");
      await silk.ok("vm", "rm", "--force", "killed");
    });

    it("prints a command line that starts the VMM when a shell is given it", async () => {
      await silk.ok("vm", "create", "--name", "neighbour", ...direct);
      const text = await silk.ok("vm", "debug", "--id", "pasted", ...direct);
      const shell = spawn("sh", ["-c", text], { cwd: sandbox.dir, stdio: "ignore" });
      const ended = once(shell, "exit");
      const left = async (): Promise<string[]> => {
        const orphans = await silk.json<{ kind: string }[]>("gc", "--dry-run");
        // A VMM with a PTY is two processes.
        return [...new Set(orphans.map(({ kind }) => kind))];
      };
      await expect.poll(left, { timeout: 10_000 }).toEqual(["process", "run", "data"]);
      const [shellAlone] = await processes.find((argv) => argv[2] === text);
      const collected = await silk.json<{ name: string }[]>("gc");
      expect(collected.map(({ name }) => name)).not.toContain(`pid ${shellAlone?.identity.pid}`);
      await ended;
      expect(await left()).toEqual([]);
      await silk.ok("vm", "rm", "neighbour");
    });

    it("shows a guest that shut itself down as stopped, and not as an error", async () => {
      await silk.ok("vm", "run", "--name", "leaver", ...direct);
      await silk.run(["vm", "console", "leaver"], { input: "poweroff\n" });
      await expect.poll(() => state("leaver"), { timeout: 10_000 }).toBe("stopped");
      await silk.ok("vm", "rm", "leaver");
    });

    it("starts one VMM, however many programs start the VM at once", async () => {
      await silk.ok("vm", "create", "--name", "raced", ...direct);
      const outcomes = await Promise.all(
        Array.from({ length: 4 }, () => silk.run(["vm", "start", "raced"])),
      );
      expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
      const { paths } = await silk.json<VmView>("vm", "inspect", "raced");
      const vmms = await processes.find((argv) => argv.includes(paths.apiSocketPath));
      // A PTY console makes the VMM fork: that process has the same arguments, and the VMM for its parent.
      const pids = new Set(vmms.map(({ identity }) => identity.pid));
      const parents = await Promise.all(vmms.map(({ identity }) => parentOf(identity.pid)));
      expect(parents.filter((pid) => !pids.has(pid))).toHaveLength(1);
      const race = await Promise.all([
        silk.run(["vm", "rm", "--force", "raced"]),
        silk.run(["vm", "stop", "raced"]),
        silk.run(["vm", "rm", "--force", "raced"]),
      ]);
      expect(race.filter(({ code }) => code === 0).length).toBeGreaterThan(0);
      expect(race.map(({ code }) => code).every((code) => code === 0 || code === 3)).toBe(true);
      expect(await processes.find((argv) => argv.includes(paths.apiSocketPath))).toEqual([]);
    });

    it("starts and stops 50 VMs at once", async () => {
      const names = Array.from({ length: 50 }, (_, index) => `many-${index}`);
      await using engine = await sandbox.engine();
      const spec = await target.spec();
      for (const name of names)
        await engine.create({
          ...spec,
          name,
          storageBytes: 0,
          memoryBytes: 2 ** 25,
          labels: { many: "yes" },
        });
      expect((await silk.ok("vm", "start", ...names)).trim().split("\n")).toHaveLength(50);
      const running = await silk.json<VmSummary[]>("vm", "list", "--filter", "many=yes");
      expect(running.filter((vm) => vm.state === "running")).toHaveLength(50);
      expect((await silk.ok("vm", "stop", "--force", ...names)).trim().split("\n")).toHaveLength(
        50,
      );
      expect((await silk.ok("vm", "rm", ...names)).trim().split("\n")).toHaveLength(50);
      expect(
        await processes.find((argv) =>
          argv.some((argument) => argument.includes(sandbox.config.runDir)),
        ),
      ).toEqual([]);
    }, 180_000);

    it("tries each of several VMs, tells of each, and ends with the code of the first failure", async () => {
      const id = (await silk.ok("vm", "create", "--name", "good", ...direct)).trim();
      const { code, stdout, stderr } = await silk.run([
        "vm",
        "start",
        "nobody",
        "good",
        "bad name",
      ]);
      expect({ code, stdout }).toEqual({ code: 3, stdout: `${id}\n` });
      expect(stderr).toContain("nobody");
      await silk.ok("vm", "rm", "--force", "good");
    });

    it("does not wait for a busy VM where it was told not to", async () => {
      await silk.ok("vm", "create", "--name", "busy", ...direct);
      const { seq } = await silk.json<VmView>("vm", "inspect", "busy");
      await using _lock = await linuxHost().locks.acquire(
        `${sandbox.config.rootDir}/vm.lock`,
        seq,
        { waitMs: 0 },
      );
      expect(await silk.error(["vm", "start", "busy", "--no-wait"])).toMatchObject({
        code: "VM_BUSY",
        exitCode: 4,
        retryable: true,
      });
      expect(await silk.error(["vm", "start", "busy", "--timeout", "1s"])).toMatchObject({
        kind: "timeout",
        exitCode: 6,
      });
    });
  });
});

async function parentOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}
