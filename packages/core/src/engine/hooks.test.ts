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

  it("adds the labels that hooks answer, each hook on top of those before it", async () => {
    const seen: unknown[] = [];
    const add = (labels: Record<string, string>) =>
      plugin("adds", {
        "vm:before-clone": ({ labels: known }) => {
          seen.push(known);
          return { labels };
        },
      });
    const runner = new HookRunner([add({ team: "a", tier: "1" }), add({ team: "b" })], 1_000);
    const labels = await runner.beforeLabelled(
      "vm:before-clone",
      { asked: "yes", tier: "0" },
      (known) => ({ snapshot: {} as never, id: "1", name: "web", labels: known }),
      undefined,
    );
    expect(labels).toEqual({ asked: "yes", tier: "1", team: "b" });
    expect(seen).toEqual([
      { asked: "yes", tier: "0" },
      { asked: "yes", tier: "1", team: "a" },
    ]);
  });

  it("takes no labels that are none", async () => {
    const runner = new HookRunner(
      [plugin("bad", { "vm:before-clone": () => ({ labels: { "no key": "x" } }) })],
      1_000,
    );
    await expect(
      runner.beforeLabelled(
        "vm:before-clone",
        {},
        (labels) => ({ snapshot: {} as never, id: "1", name: "web", labels }),
        undefined,
      ),
    ).rejects.toMatchObject({
      code: "HOOK_FAILED",
      message: expect.stringContaining(
        "the hook vm:before-clone of the plugin bad answers what are no labels",
      ),
    });
  });

  it("tells a hook that nobody waits for it any more", async () => {
    let signal: AbortSignal | undefined;
    const runner = new HookRunner(
      [
        plugin("slow", {
          "vm:after-stop": (_context, tools) => {
            signal = tools.signal;
            return new Promise<void>(() => {});
          },
        }),
      ],
      10,
    );
    const warnings: string[] = [];
    await runner.after("vm:after-stop", { vm }, (message) => warnings.push(message));
    expect(warnings).toEqual(["the hook vm:after-stop of the plugin slow took longer than 10 ms"]);
    expect(signal?.aborted).toBe(true);
  });
});
