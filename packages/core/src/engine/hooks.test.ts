import { describe, expect, it } from "vitest";
import type { PluginDefinition } from "../plugin/plugin.ts";
import type { VmRecord } from "../vm/record.ts";
import { HookRunner } from "./hooks.ts";

const vm = { id: "1", name: "web" } as VmRecord;
const plugin = (name: string, hooks: PluginDefinition["hooks"]): PluginDefinition => ({
  name,
  apiVersion: 1,
  hooks,
});

describe("HookRunner", () => {
  it("runs the plugins in their order and stops at the first veto", async () => {
    const calls: string[] = [];
    const runner = new HookRunner(
      [
        plugin("a", { "vm:before-start": () => void calls.push("a") }),
        plugin("b", { "vm:before-start": ({ vm: seen }) => ({ veto: `${seen.name} may not` }) }),
        plugin("c", { "vm:before-start": () => void calls.push("c") }),
      ],
      1_000,
    );
    await expect(runner.before("vm:before-start", { vm }, undefined)).rejects.toMatchObject({
      code: "VETOED",
      kind: "conflict",
      message: "the plugin b does not allow this: web may not",
    });
    expect(calls).toEqual(["a"]);
  });

  it("reports the failure of an after hook and goes on", async () => {
    const warnings: string[] = [];
    let ran = false;
    const runner = new HookRunner(
      [
        plugin("a", { "vm:after-start": () => Promise.reject(new Error("no database")) }),
        plugin("b", { "vm:after-start": () => void (ran = true) }),
      ],
      1_000,
    );
    await runner.after("vm:after-start", { vm }, (message) => warnings.push(message));
    expect(warnings).toEqual(["the hook vm:after-start of the plugin a failed: no database"]);
    expect(ran).toBe(true);
  });

  it("does not wait for a hook that hangs longer than it may", async () => {
    const runner = new HookRunner(
      [plugin("slow", { "vm:before-stop": () => new Promise<void>(() => {}) })],
      10,
    );
    await expect(
      runner.before("vm:before-stop", { vm, force: false }, undefined),
    ).rejects.toMatchObject({
      code: "HOOK_FAILED",
      message: "the hook vm:before-stop of the plugin slow took longer than 10 ms",
    });
  });
});
