import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { makeSandbox } from "@silkvm/test-e2e/sandbox";
import { snapshotTargets } from "@silkvm/test-e2e/snapshot-targets";
import { describe, expect, it } from "vitest";

describe.each(snapshotTargets)("on $name", (target) => {
  it.skipIf(target.missing !== undefined)(
    "the program answers, and ends when it is told to",
    async () => {
      await using sandbox = await makeSandbox(await target.vmm());
      const { kernel } = (await target.spec()).boot;
      const env = { ...process.env, ...sandbox.env, KERNEL: kernel, PORT: "0" };
      const program = spawn(process.execPath, [join(import.meta.dirname, "main.ts")], {
        env,
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exit = once(program, "exit");
      const [line] = (await once(createInterface(program.stdout), "line")) as [string];
      const url = line.replace("listening at ", "");
      const answer = await fetch(url, { method: "POST", body: "echo hello" });
      expect(await answer.text()).toBe("hello\n");
      program.kill("SIGTERM");
      expect(await exit).toEqual([0, null]);
      await using engine = await sandbox.engine();
      expect(await engine.list({ all: true })).toEqual([]);
      expect(await engine.snapshots.list()).toMatchObject([{ name: "http-service" }]);
    },
    60_000,
  );
});
