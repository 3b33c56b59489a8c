import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { discoverPlugins } from "./discover.ts";
import { pluginNames } from "./names.ts";
import type { PluginDefinition } from "./plugin.ts";

const roots: string[] = [];
afterAll(async () => {
  for (const root of roots) await rm(root, { recursive: true });
});

async function install(
  packages: Record<string, { manifest?: object; entry?: string }>,
): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "silk-plugins-"));
  roots.push(root);
  for (const [name, { manifest, entry }] of Object.entries(packages)) {
    const directory = join(root, "node_modules", name);
    await mkdir(directory, { recursive: true });
    const silk = { plugin: "./plugin.js" };
    await writeFile(
      join(directory, "package.json"),
      JSON.stringify({ name, type: "module", silk, ...manifest }),
    );
    if (entry !== undefined) await writeFile(join(directory, "plugin.js"), entry);
  }
  return root;
}

describe("discoverPlugins", () => {
  it("loads what a package names as its silk plugin, and passes over a package that names nothing", async () => {
    const from = await install({
      "@acme/fast": { entry: 'export default { name: "@acme/fast", apiVersion: 1 }' },
      other: { manifest: { silk: undefined } },
    });
    const { plugins, failed } = await discoverPlugins([
      { name: "@acme/fast", from },
      { name: "other", from },
    ]);
    expect(plugins.map(({ name }) => name)).toEqual(["@acme/fast"]);
    expect(failed).toEqual([]);
  });

  it("names each plugin that is broken, missing, or of another version, and loads the rest", async () => {
    const from = await install({
      good: { entry: 'export default { name: "good", apiVersion: 1 }' },
      throwing: { entry: 'throw new Error("boom")' },
      leaving: { entry: "process.exit(0)" },
      empty: { entry: "export const nothing = 1" },
      future: { entry: 'export default { name: "future", apiVersion: 99 }' },
    });
    const names = ["throwing", "leaving", "empty", "future", "absent", "good"];
    const exit = Object.getOwnPropertyDescriptor(process, "exit");
    const { plugins, failed } = await discoverPlugins(names.map((name) => ({ name, from })));
    expect(plugins.flatMap(({ name, broken }) => (broken === undefined ? [name] : []))).toEqual([
      "good",
    ]);
    expect(failed.map(({ name, error }) => [name, error.code])).toEqual([
      ["throwing", "PLUGIN_BROKEN"],
      ["leaving", "PLUGIN_BROKEN"],
      ["empty", "PLUGIN_INVALID"],
      ["future", "PLUGIN_INCOMPATIBLE"],
      ["absent", "PLUGIN_NOT_FOUND"],
    ]);
    expect(failed[1]?.error.message).toBe(
      "the plugin leaving cannot be loaded: it would end the process as it is loaded: process.exit(0)",
    );
    expect(Object.getOwnPropertyDescriptor(process, "exit")).toEqual(exit);
  });

  it("does not wait for an entry that never ends", async () => {
    const from = await install({ hanging: { entry: "await new Promise(() => {})" } });
    const { failed } = await discoverPlugins([{ name: "hanging", from }], { timeoutMs: 20 });
    expect(failed[0]?.error).toMatchObject({
      code: "PLUGIN_BROKEN",
      message:
        "the plugin hanging cannot be loaded: its entry ./plugin.js is not loaded after 20 ms",
      hint: "Update it (silk plugins update hanging), or take it away: silk plugins uninstall hanging",
    });
  });

  it("says that an entry is not there, and tells that from a module that the entry lacks", async () => {
    const from = await install({
      unbuilt: {},
      lacking: { entry: 'import "./nosuch.js"; export default 1' },
    });
    const { failed } = await discoverPlugins([
      { name: "unbuilt", from },
      { name: "lacking", from },
    ]);
    expect(failed.map(({ error }) => error.message)).toEqual([
      "the plugin unbuilt cannot be loaded: its entry ./plugin.js is not there: is it built?",
      expect.stringMatching(/^the plugin lacking cannot be loaded: .*nosuch\.js/),
    ]);
  });

  it("calls a plugin by the name of its package", async () => {
    const from = await install({
      "@acme/fast": { entry: "export default { name: 'x', apiVersion: 1 }" },
    });
    const { plugins } = await discoverPlugins([{ name: "@acme/fast", from }]);
    expect(plugins[0]?.name).toBe("@acme/fast");
  });
});

/** A plugin of which everything is stated, and whose entry says when it is loaded. */
const stated = {
  manifest: {
    silk: {
      plugin: "./plugin.js",
      apiVersion: 1,
      backends: [{ name: "fast", description: "it is fast" }],
      networks: [{ name: "wire", namedBy: "network" }],
      devices: ["lamp"],
      images: [{ name: "shelf", scheme: "shelf" }],
      hooks: ["vm:before-start"],
    },
  },
  entry: `globalThis.loadedPlugins = (globalThis.loadedPlugins ?? 0) + 1;
    export default {
      name: "stated", apiVersion: 1,
      backends: [{ name: "fast", description: "it is fast", open: async () => "a backend" }],
      networks: [{ name: "wire", description: "", open: async () => "a network" }],
      devices: [{ name: "lamp", load: async () => "a kind" }],
      images: [{ name: "shelf", description: "", scheme: "shelf", open: async () => "images" }],
      hooks: { "vm:before-start": () => ({ veto: "not today" }) },
    };`,
};

describe("a plugin whose package.json states what it brings", () => {
  const timesLoaded = (): unknown => Reflect.get(globalThis, "loadedPlugins");

  it("is loaded when something of it is first needed, and once", async () => {
    const from = await install({ stated });
    const { plugins, failed } = await discoverPlugins([{ name: "stated", from }]);
    const plugin = plugins[0] as PluginDefinition;
    expect(failed).toEqual([]);
    expect(pluginNames(plugin)).toEqual({
      backends: ["fast"],
      networks: ["wire"],
      devices: ["lamp"],
      images: ["shelf"],
      hooks: ["vm:before-start"],
    });
    expect(plugin.backends?.[0]?.description).toBe("it is fast");
    expect(plugin.networks?.[0]?.namedBy).toBe("network");
    expect(timesLoaded()).toBeUndefined();
    expect(await plugin.backends?.[0]?.open({} as never)).toBe("a backend");
    expect(await plugin.networks?.[0]?.open({} as never)).toBe("a network");
    expect(await plugin.devices?.[0]?.load()).toBe("a kind");
    expect(plugin.images?.[0]?.scheme).toBe("shelf");
    expect(await plugin.images?.[0]?.open({} as never)).toBe("images");
    expect(await plugin.hooks?.["vm:before-start"]?.({} as never, {} as never)).toEqual({
      veto: "not today",
    });
    expect(timesLoaded()).toBe(1);
  });

  it("is loaded at once where what is wrong with it is to be found out", async () => {
    const entry = 'throw new Error("boom")';
    const from = await install({ stated: { ...stated, entry } });
    const lazy = await discoverPlugins([{ name: "stated", from }]);
    expect(lazy.failed).toEqual([]);
    const { failed } = await discoverPlugins([{ name: "stated", from }], { eager: true });
    expect(failed[0]?.error.message).toBe("the plugin stated cannot be loaded: boom");
  });

  it.each([
    ["a backend", { backends: ["other"] }, 'brings no backend "other", though'],
    ["a network", { networks: ["other"] }, 'brings no network "other", though'],
    ["a kind of devices", { devices: ["other"] }, 'brings no kind of devices "other", though'],
    ["an image source", { images: ["other"] }, 'brings no image source "other", though'],
    ["a hook", { hooks: ["vm:after-stop"] }, "brings no hook vm:after-stop, though"],
  ])("is refused where its entry lacks %s that it states", async (_what, more, message) => {
    const silk = { ...stated.manifest.silk, ...more };
    const from = await install({ stated: { ...stated, manifest: { silk } } });
    const { failed } = await discoverPlugins([{ name: "stated", from }], { eager: true });
    expect(failed[0]?.error).toMatchObject({ code: "PLUGIN_INVALID" });
    expect(failed[0]?.error.message).toContain(message);
  });

  it.each([
    [{ plugin: 1 }, '"silk.plugin" in'],
    [{ plugin: "./plugin.js", backends: ["fast"] }, '"silk.apiVersion" in'],
    [{ plugin: "./plugin.js", apiVersion: "1" }, "must be a number"],
    [{ plugin: "./plugin.js", apiVersion: 1, backends: ["Fast"] }, "must be lower case"],
    [{ plugin: "./plugin.js", apiVersion: 1, hooks: ["vm:befor-create"] }, "vm:befor-create"],
  ])("is refused where the statement makes no sense: %j", async (silk, message) => {
    const from = await install({ stated: { ...stated, manifest: { silk } } });
    const { failed } = await discoverPlugins([{ name: "stated", from }]);
    expect(failed[0]?.error).toMatchObject({ code: "PLUGIN_INVALID" });
    expect(failed[0]?.error.message).toContain(message);
  });

  it("refuses what it was to judge where it cannot be used, whatever the reason", async () => {
    const hooks = ["vm:before-start", "vm:after-start", "vm:before-dream"];
    const silk = { ...stated.manifest.silk, hooks };
    const from = await install({ stated: { ...stated, manifest: { silk } } });
    const [plugin] = (await discoverPlugins([{ name: "stated", from }])).plugins;
    expect(plugin?.broken?.message).toContain("vm:before-dream");
    expect(pluginNames(plugin as PluginDefinition)).toMatchObject({
      backends: [],
      hooks: ["vm:before-start"],
    });
    await expect(
      plugin?.hooks?.["vm:before-start"]?.({} as never, {} as never),
    ).rejects.toMatchObject({ code: "PLUGIN_INVALID" });
  });

  it("is refused without being loaded where it is for another version", async () => {
    const silk = { ...stated.manifest.silk, apiVersion: 2, hooks: ["vm:before-dream"] };
    const from = await install({ stated: { ...stated, manifest: { silk } } });
    const { failed } = await discoverPlugins([{ name: "stated", from }]);
    expect(failed[0]?.error).toMatchObject({ code: "PLUGIN_INCOMPATIBLE", hint: "Update silk." });
  });
});
