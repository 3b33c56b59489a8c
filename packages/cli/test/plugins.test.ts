import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSandbox, type Sandbox } from "./support/sandbox.ts";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await makeSandbox();
});
afterAll(() => sandbox[Symbol.asyncDispose]());

/** Writes a plugin package and gives its directory. */
async function makePlugin(
  name: string,
  files: Readonly<Record<string, string>>,
  more: object = {},
): Promise<string> {
  const dir = join(sandbox.dir, "plugins", name);
  await mkdir(dir, { recursive: true });
  const manifest = {
    name,
    version: "1.0.0",
    type: "module",
    oclif: {},
    silk: { plugin: "./plugin.js" },
    ...more,
  };
  await writeFile(join(dir, "package.json"), JSON.stringify(manifest));
  for (const [file, text] of Object.entries(files)) await writeFile(join(dir, file), text);
  return dir;
}

const vetoing = (name: string): string => `export default { name: "${name}", apiVersion: 1, hooks: {
  "vm:before-create": ({ spec }) => spec.labels.owner === undefined ? { veto: "a VM needs the label owner" } : undefined,
} };`;

/** Makes silk see plugins as \`silk plugins link\` does. */
async function link(
  ...plugins: readonly { readonly name: string; readonly root: string }[]
): Promise<void> {
  const dir = join(sandbox.dir, "data/silk");
  await mkdir(dir, { recursive: true });
  const linked = plugins.map((plugin) => ({ ...plugin, type: "link" }));
  await writeFile(
    join(dir, "package.json"),
    JSON.stringify({ oclif: { schema: 1, plugins: linked } }),
  );
}

describe("plugins", () => {
  it("that were linked take part in what the engine does", async () => {
    await link({
      name: "silk-owner",
      root: await makePlugin("silk-owner", { "plugin.js": vetoing("silk-owner") }),
    });
    const { code, stderr } = await sandbox.silk(["vm", "create", ...sandbox.vmFlags]);
    expect(code).not.toBe(0);
    expect(stderr).toContain("a VM needs the label owner");
    await sandbox.ok("vm", "create", "--name", "owned", "--label", "owner=me", ...sandbox.vmFlags);
    expect(await sandbox.ok("plugins")).toContain("silk-owner");
    await link();
  });

  it("that a setting names by path are loaded, too", async () => {
    const dir = await makePlugin("silk-named", { "plugin.js": vetoing("silk-named") });
    const { stderr } = await sandbox.silk(["vm", "create", ...sandbox.vmFlags], {
      env: { SILK_PLUGINS: dir },
    });
    expect(stderr).toContain("a VM needs the label owner");
  });

  it.each([
    ["silk-throws", { "plugin.js": 'throw new Error("no luck")' }, {}, "no luck"],
    ["silk-empty", { "plugin.js": "export default 1" }, {}, "silk-empty is no silk plugin"],
    [
      "silk-old",
      { "plugin.js": 'export default { name: "silk-old", apiVersion: 0 }' },
      {},
      "is for version 0 of the plugin interface",
    ],
    ["silk-gone", {}, {}, "silk-gone cannot be loaded"],
    [
      "silk-hangs",
      { "plugin.js": "await new Promise(() => {})" },
      {},
      "silk-hangs cannot be loaded: its entry ./plugin.js is not loaded after 2000 ms",
    ],
    [
      "silk-future",
      { "plugin.js": 'throw new Error("it is not even looked at")' },
      { silk: { plugin: "./plugin.js", apiVersion: 2, hooks: ["vm:before-start"] } },
      "silk-future is for version 2 of the plugin interface, and this silk speaks 1",
    ],
    [
      "silk-typo",
      {},
      { silk: { plugin: "./plugin.js", apiVersion: 1, hooks: ["vm:befor-start"] } },
      "vm:befor-start",
    ],
    [
      "silk-disk",
      {
        "plugin.js":
          'export default { name: "silk-disk", apiVersion: 1, devices: [{ name: "disk", load() {} }] }',
      },
      {},
      'both bring a kind of devices "disk"; silk-disk is left out',
    ],
    [
      "silk-bridge",
      {
        "plugin.js":
          'export default { name: "silk-bridge", apiVersion: 1, networks: [{ name: "bridge", description: "", open() {} }] }',
      },
      {},
      'both bring a network "bridge"; silk-bridge is left out',
    ],
    ["silk-number", {}, { silk: { plugin: 1 } }, '"silk.plugin" in'],
    [
      "silk-clash",
      {
        "plugin.js":
          'export default { name: "silk-clash", apiVersion: 1, backends: [{ name: "cloud-hypervisor", description: "", open() {} }] }',
      },
      {},
      'the plugins @silkvm/cloud-hypervisor and silk-clash both bring a backend "cloud-hypervisor"; silk-clash is left out',
    ],
  ])(
    "%s is named in one line, left out, and takes nothing down",
    async (name, files, more, message) => {
      const root = await makePlugin(name, files, more);
      await link({ name, root });
      const { code, stdout, stderr } = await sandbox.silk(["vm", "list", "--quiet"], {
        env: { SILK_HOOK_TIMEOUT_MS: "2000" },
      });
      expect(code).toBe(0);
      expect(stdout).toMatch(/^[0-9a-f]{16}\n$/);
      expect(stderr.split("\n")).toEqual([expect.stringMatching(/^Warning: .* is left out$/), ""]);
      expect(stderr).toContain(message);
      await link();
    },
  );

  it("that cannot be loaded let nothing be done that a hook of theirs was to judge, and everything else", async () => {
    const root = await makePlugin(
      "silk-judge",
      { "plugin.js": 'throw new Error("no luck")' },
      { silk: { plugin: "./plugin.js", apiVersion: 1, hooks: ["vm:before-create"] } },
    );
    await link({ name: "silk-judge", root });
    expect(await sandbox.silk(["vm", "create", ...sandbox.vmFlags])).toMatchObject({
      code: 1,
      stdout: "",
      stderr:
        "Error: the hook vm:before-create of the plugin silk-judge failed: the plugin silk-judge cannot be loaded: no luck\nHint: Update it (silk plugins update silk-judge), or take it away: silk plugins uninstall silk-judge\n",
    });
    const started = await sandbox.silk(["vm", "start", "owned"]);
    expect(started.code).toBe(0);
    expect(started.stderr).not.toContain("silk-judge");
    expect((await sandbox.silk(["vm", "stop", "--force", "owned"])).code).toBe(0);
    await link();
  });

  it("that are for another silk, or clash, let nothing be done that their hooks were to judge, either", async () => {
    const hooks = ["vm:before-create"];
    const future = await makePlugin(
      "silk-future",
      {},
      {
        silk: { plugin: "./plugin.js", apiVersion: 2, hooks },
      },
    );
    await link({ name: "silk-future", root: future });
    const create = ["vm", "create", ...sandbox.vmFlags];
    expect(await sandbox.silk(create)).toMatchObject({
      code: 5,
      stderr: expect.stringContaining(
        "Error: the hook vm:before-create of the plugin silk-future failed: the plugin silk-future is for version 2",
      ) as string,
    });
    const clash = await makePlugin(
      "silk-clash",
      {
        "plugin.js": vetoing("silk-clash").replace(
          "hooks:",
          'backends: [{ name: "qemu", description: "", open() {} }], hooks:',
        ),
      },
      { silk: { plugin: "./plugin.js", apiVersion: 1, backends: ["qemu"], hooks } },
    );
    await link({ name: "silk-clash", root: clash });
    const { stderr } = await sandbox.silk(create);
    expect(stderr).toContain('a backend "qemu"; silk-clash is left out, but for its hooks\n');
    expect(stderr).toContain("a VM needs the label owner");
    await link();
  });

  it("that are required let nothing be changed while they are missing, and everything be looked at", async () => {
    const root = await makePlugin("silk-policy", { "plugin.js": 'throw new Error("no luck")' });
    await link({ name: "silk-policy", root });
    const env = { SILK_REQUIRED_PLUGINS: "silk-policy" };
    for (const command of [["vm", "create", ...sandbox.vmFlags], ["vm", "rm", "owned"], ["gc"]])
      expect(await sandbox.silk([...command], { env })).toMatchObject({
        code: 1,
        stdout: "",
        stderr: expect.stringContaining(
          "Error: nothing is changed without the plugin silk-policy: the plugin silk-policy cannot be loaded: no luck\n",
        ) as string,
      });
    for (const command of [
      ["vm", "inspect", "owned"],
      ["gc", "--dry-run"],
    ])
      expect((await sandbox.silk(command, { env })).code).toBe(0);
    await link();
    const { stderr } = await sandbox.silk(["vm", "start", "owned"], { env });
    expect(stderr).toMatch(
      /^Error: nothing is changed without the plugin silk-policy: it is not there\nHint: Install it/,
    );
  });

  it("bring networks, which --network names with their kind", async () => {
    const root = await makePlugin(
      "silk-lan",
      {
        "plugin.js": `const nics = (count) => Array.from({ length: count }, (_, i) => ({ tap: "lan" + i, mac: "02:00:00:00:00:0" + i, queues: 2, queueSize: 0, provider: "lan" }));
          const plumbing = {
            plan: async ({ config }, count) => { if (config.network !== "lan:blue") throw new Error("planned for " + config.network); return nics(count); },
            attach: async (_vm, nics) => nics, detach: async () => {}, networks: async () => [{ name: "blue", description: "all that is blue", details: {} }],
            async [Symbol.asyncDispose]() {},
          };
          const network = { name: "lan", description: "a LAN", namedBy: "network", open: async () => plumbing };
          export default { name: "silk-lan", apiVersion: 1, networks: [network] };`,
      },
      {
        silk: {
          plugin: "./plugin.js",
          apiVersion: 1,
          networks: [{ name: "lan", namedBy: "network" }],
        },
      },
    );
    await link({ name: "silk-lan", root });
    expect(await sandbox.ok("network", "list")).toMatch(
      /^blue +lan +--network lan:blue +all that/m,
    );
    const id = await sandbox.ok("vm", "create", "--network", "lan:blue", ...sandbox.vmFlags);
    expect(JSON.parse(await sandbox.ok("vm", "inspect", id, "--json"))).toMatchObject({
      config: { network: "lan:blue" },
      nics: [{ provider: "lan" }],
    });
    await sandbox.ok("vm", "rm", id);
    expect(await sandbox.ok("__complete", "bash", "--", "vm", "create", "--network", "lan:")).toBe(
      "lan:blue\n:nothing",
    );
    const unknown = await sandbox.silk(["vm", "create", "--network", "wan:x", ...sandbox.vmFlags]);
    expect(unknown).toMatchObject({
      code: 5,
      stderr:
        'Error: no plugin brings networks of the kind "wan"\nHint: Install the plugin that does. The kinds are bridge, cni, lan.\n',
    });
    await link();
  });

  it.each([
    ["() => new Promise(() => {})", "took longer than 300 ms"],
    ['() => { throw new Error("no luck") }', "failed: no luck"],
    ['() => ({ labels: { "no label": 1 } })', "answers what are no labels"],
  ])("whose before hook is %s stop the operation, within a bounded time", async (hook, message) => {
    const root = await makePlugin("silk-before", {
      "plugin.js": `export default { name: "silk-before", apiVersion: 1, hooks: { "vm:before-create": ${hook} } };`,
    });
    await link({ name: "silk-before", root });
    const { code, stderr } = await sandbox.silk(["vm", "create", ...sandbox.vmFlags], {
      env: { SILK_HOOK_TIMEOUT_MS: "300" },
    });
    expect(code).not.toBe(0);
    expect(stderr).toContain(
      `Error: the hook vm:before-create of the plugin silk-before ${message}`,
    );
    await link();
  });

  it("whose after hook hangs make a warning, and what was done is done", async () => {
    const root = await makePlugin("silk-after", {
      "plugin.js":
        'export default { name: "silk-after", apiVersion: 1, hooks: { "vm:after-start": () => new Promise(() => {}) } };',
    });
    await link({ name: "silk-after", root });
    const env = { SILK_HOOK_TIMEOUT_MS: "300" };
    const { code, stdout, stderr } = await sandbox.silk(["vm", "start", "owned"], { env });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^[0-9a-f]{16}\n$/)]);
    expect(stderr).toContain(
      "Warning: the hook vm:after-start of the plugin silk-after took longer than 300 ms",
    );
    await sandbox.ok("vm", "stop", "--force", "owned");
    await link();
  });

  it("are what a backend comes with: one that none of them brings is a clear error", async () => {
    const { code, stdout, stderr } = await sandbox.silk([
      "vm",
      "create",
      "--backend",
      "nosuch",
      ...sandbox.vmFlags,
      "--json",
    ]);
    expect([code, stderr]).toEqual([5, ""]);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: "BACKEND_UNKNOWN", message: 'there is no backend "nosuch"' },
    });
  });

  it("whose directory has gone are named in one line", async () => {
    await link({ name: "silk-lost", root: join(sandbox.dir, "nosuch") });
    const { code, stderr } = await sandbox.silk(["version"]);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^Warning: the plugin silk-lost cannot be loaded: ENOENT.*\/nosuch\/package.json.*\n$/,
    );
    await link();
  });

  it("whose oclif hook fails are told of", async () => {
    const root = await makePlugin(
      "silk-hook",
      { "init.js": 'export default async () => { throw new Error("the hook is broken") }' },
      {
        silk: undefined,
        oclif: { hooks: { init: "./init.js" } },
      },
    );
    await link({ name: "silk-hook", root });
    expect(await sandbox.silk(["version"])).toMatchObject({
      code: 0,
      stderr: 'Warning: the hook "init" of the plugin silk-hook failed: the hook is broken\n',
    });
    await link();
  });

  it("bring commands, whose errors are told like ours", async () => {
    const command = (body: string): string =>
      `export default class { static id = "hello"; static args = {}; static flags = {}; static aliases = []; static hiddenAliases = [];
       static async run() { ${body} } }`;
    const root = await makePlugin(
      "silk-hello",
      {
        "oclif.manifest.json": JSON.stringify({
          version: "1.0.0",
          commands: {
            hello: {
              id: "hello",
              aliases: [],
              hiddenAliases: [],
              args: {},
              flags: {},
              strict: false,
              isESM: true,
              relativePath: ["hello.js"],
              pluginName: "silk-hello",
              pluginType: "link",
            },
          },
        }),
        "hello.js": command(
          'throw Object.assign(new Error("hello failed"), { oclif: { exit: 9 }, suggestions: ["Say it again."] });',
        ),
      },
      { silk: undefined, oclif: { commands: "." } },
    );
    await link({ name: "silk-hello", root });
    expect(await sandbox.silk(["hello"])).toMatchObject({
      code: 9,
      stderr: "Error: hello failed\nHint: Say it again.\n",
    });
    expect(await sandbox.json("hello")).toMatchObject({
      error: { kind: "failed", message: "hello failed" },
    });
    await link();
  });
});
