import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Puts plugins into a user's home as `silk plugins install` does: each brings a backend, a hook and a command, and its entry loads something of
 * Node's as real ones do.
 * @param states whether their package.json states what they bring, so that nothing of them is loaded before it is needed
 */
export async function makePlugins(home: string, count: number, states: boolean): Promise<void> {
  const dataDir = join(home, ".local/share/silk");
  const entries = [];
  for (let index = 0; index < count; index += 1) {
    const name = `silk-bench-${index}`;
    const backend = `bench-${index}`;
    const root = join(dataDir, "plugins", `${index}`, "node_modules", name);
    await mkdir(root, { recursive: true });
    const stated = { apiVersion: 1, backends: [backend], hooks: ["vm:after-delete"] };
    const files = {
      "package.json": JSON.stringify({
        name,
        version: "1.0.0",
        type: "module",
        oclif: { commands: "./commands" },
        silk: { plugin: "./plugin.js", ...(states ? stated : {}) },
      }),
      "plugin.js": `import "node:http"; import "node:crypto";
export default { name: "${name}", apiVersion: 1,
  backends: [{ name: "${backend}", description: "", open: async () => { throw new Error("not here"); } }],
  hooks: { "vm:after-delete": () => {} } };\n`,
      "oclif.manifest.json": JSON.stringify({
        version: "1.0.0",
        commands: {
          [`bench:${index}`]: {
            id: `bench:${index}`,
            summary: "do nothing",
            aliases: [],
            hiddenAliases: [],
            args: {},
            flags: {},
            isESM: true,
            relativePath: ["commands", "bench.js"],
          },
        },
      }),
    };
    for (const [file, text] of Object.entries(files)) await writeFile(join(root, file), text);
    entries.push({ name, type: "link", root, spec: name, quiet: true });
  }
  await mkdir(dataDir, { recursive: true });
  const list = { name: "silk", private: true, oclif: { plugins: entries } };
  await writeFile(join(dataDir, "package.json"), JSON.stringify(list));
}
