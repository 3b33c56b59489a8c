import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkPlugins } from "./check.ts";
import { discoverPlugins } from "./discover.ts";

async function install(
  packages: Record<string, { manifest?: object; entry?: string }>,
): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "silk-plugins-"));
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
      empty: { entry: "export const nothing = 1" },
      future: { entry: 'export default { name: "future", apiVersion: 99 }' },
    });
    const names = ["throwing", "empty", "future", "absent", "good"];
    const { plugins, failed } = await discoverPlugins(names.map((name) => ({ name, from })));
    expect(plugins.map(({ name }) => name)).toEqual(["good"]);
    expect(failed.map(({ name, error }) => [name, error.code])).toEqual([
      ["throwing", "INTERNAL"],
      ["empty", "PLUGIN_INVALID"],
      ["future", "PLUGIN_INCOMPATIBLE"],
      ["absent", "PLUGIN_NOT_FOUND"],
    ]);
  });
});

describe("checkPlugins", () => {
  it("refuses two backends of one name and says whose they are", () => {
    const backend = { name: "x", description: "", open: () => Promise.reject(new Error("unused")) };
    const plugins = ["a", "b"].map((name) => ({ name, apiVersion: 1, backends: [backend] }));
    expect(() => checkPlugins(plugins)).toThrow('the plugins a and b both bring a backend "x"');
  });
});
