import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  commitPackage,
  packPackage,
  type PackageSource,
  serveRegistry,
  writePackage,
} from "./support/plugin-package.ts";
import { makeSandbox, type Sandbox } from "./support/sandbox.ts";

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await makeSandbox();
});
afterEach(() => sandbox[Symbol.asyncDispose]());

const vetoing = (name: string): string => `export default { name: "${name}", apiVersion: 1, hooks: {
  "vm:before-create": () => ({ veto: "not with me" }),
} };`;

const policy: PackageSource = {
  name: "@acme/policy",
  files: { "plugin.js": vetoing("@acme/policy") },
  more: { silk: { plugin: "./plugin.js", apiVersion: 1, hooks: ["vm:before-create"] } },
};

const hello: PackageSource = {
  name: "silk-hello",
  files: {
    "plugin.js": 'export default { name: "silk-hello", apiVersion: 1 };',
    "hello.js":
      'export default class { static args = {}; static flags = {}; static aliases = []; static hiddenAliases = []; static async run() { console.log("hello"); } }',
    "oclif.manifest.json": JSON.stringify({
      version: "1.0.0",
      commands: Object.fromEntries(
        [
          ["hello", "say hello"],
          ["vm:start", "start something else"],
        ].map(([id, summary]) => [
          id,
          {
            id,
            summary,
            aliases: [],
            hiddenAliases: [],
            args: {},
            flags: {},
            isESM: true,
            relativePath: ["hello.js"],
          },
        ]),
      ),
    }),
  },
  more: { oclif: { commands: "." } },
};

/** Directories that silk has made for plugins. */
async function placed(): Promise<readonly string[]> {
  return await readdir(join(sandbox.dir, "data/silk/plugins")).catch(() => []);
}

async function vetoes(): Promise<boolean> {
  const { stderr } = await sandbox.silk(["vm", "create", ...sandbox.vmFlags]);
  return stderr.includes("the plugin @acme/policy does not allow this: not with me");
}

describe("silk plugins install", () => {
  it("installs a tarball, whose hooks then take part, and uninstall takes it away", async () => {
    const tarball = await packPackage(sandbox.dir, policy);
    expect(await sandbox.ok("plugins", "install", tarball)).toBe("@acme/policy 1.0.0");
    expect(await vetoes()).toBe(true);
    expect(await sandbox.json("plugins", "inspect", "@acme/policy")).toMatchObject({
      name: "@acme/policy",
      version: "1.0.0",
      origin: "installed",
      spec: `file:${tarball}`,
      apiVersion: 1,
      usable: true,
      problems: [],
      brings: { backends: [], hooks: ["vm:before-create"] },
    });
    expect(await sandbox.ok("plugins", "uninstall", "@acme/policy")).toBe("@acme/policy");
    expect(await vetoes()).toBe(false);
    expect(await placed()).toEqual([]);
    expect(await sandbox.json("plugins", "list")).toEqual([]);
  });

  it("takes file:, a relative path, a directory and a git repository", async () => {
    const tarball = await packPackage(sandbox.dir, policy);
    const directory = await writePackage(join(sandbox.dir, "src"), policy);
    const relative = `./${tarball.slice(sandbox.dir.length + 1)}`;
    const repository = await commitPackage(join(sandbox.dir, "git"), policy);
    for (const spec of [`file:${tarball}`, relative, directory, repository]) {
      expect(await sandbox.ok("plugins", "install", spec)).toBe("@acme/policy 1.0.0");
      // What it takes the place of is gone.
      expect(await placed()).toHaveLength(1);
    }
    expect(await vetoes()).toBe(true);
  });

  it("takes a name, with a version or without, and update brings what is newer", async () => {
    const versions = ["1.0.0", "1.1.0"].map((version) => ({ ...policy, version }));
    const tarballs = await Promise.all(
      versions.map(async (source) => ({ source, path: await packPackage(sandbox.dir, source) })),
    );
    await using registry = await serveRegistry(tarballs);
    const env = { npm_config_registry: registry.url };
    const silk = async (...args: string[]) => await sandbox.silk(["plugins", ...args], { env });
    expect((await silk("install", "@acme/policy@1.0.0")).stdout).toBe("@acme/policy 1.0.0\n");
    expect((await silk("update")).stdout).toBe("@acme/policy 1.0.0\n");
    expect((await silk("install", "@acme/policy")).stdout).toBe("@acme/policy 1.1.0 (was 1.0.0)\n");
    expect((await silk("update", "--json")).stdout).toContain('"version":"1.1.0"');
    expect(await silk("install", "@acme/nothing")).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringMatching(
        /^(?:installing @acme\/nothing\n)?Error: @acme\/nothing cannot be installed: .*\nHint: .*\n$/,
      ),
    });
    expect((await silk("install", "@acme/policy@9.9.9")).code).toBe(3);
    expect(await placed()).toHaveLength(1);
  });

  it("looks at what is on this machine before npm does", async () => {
    const bad = join(sandbox.dir, "bad");
    await mkdir(join(bad, "nameless"), { recursive: true });
    await writeFile(join(bad, "nameless/package.json"), '{"silk":{"plugin":"./p.js"}}');
    await writeFile(join(bad, "empty.tgz"), "");
    await writeFile(join(bad, "text.tgz"), "no tarball");
    const whole = await readFile(await packPackage(sandbox.dir, policy));
    await writeFile(join(bad, "cut.tgz"), whole.subarray(0, -20));
    const cases: readonly (readonly [string, number, string])[] = [
      [join(bad, "nosuch.tgz"), 3, "there is no "],
      [bad, 3, `there is no ${bad}/package.json`],
      [join(bad, "nameless"), 2, "is no package: its package.json has no name"],
      [join(bad, "empty.tgz"), 2, "is no whole tarball of a package"],
      [join(bad, "text.tgz"), 2, "is no whole tarball of a package"],
      [join(bad, "cut.tgz"), 2, "is no whole tarball of a package"],
      ["", 2, '"" is no plugin'],
    ];
    for (const [spec, code, message] of cases) {
      const outcome = await sandbox.silk(["plugins", "install", spec]);
      expect(outcome, spec).toMatchObject({ code, stdout: "" });
      expect(outcome.stderr).toContain(message);
    }
  });

  it("says that the registry does not answer", async () => {
    const outcome = await sandbox.silk(["plugins", "install", "silk-hello", "--json"], {
      env: { npm_config_registry: "http://127.0.0.1:9", npm_config_fetch_retries: "0" },
    });
    expect(outcome.code).toBe(1);
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      done: [],
      error: { code: "REGISTRY_UNAVAILABLE", kind: "unavailable", hint: expect.any(String) },
    });
  });

  it.each<[string, PackageSource, string, number]>([
    [
      "throws when it is loaded",
      { name: "bad", files: { "plugin.js": 'throw new Error("no luck")' } },
      "the plugin bad cannot be loaded: no luck",
      1,
    ],
    [
      "is for a newer silk",
      {
        name: "bad",
        files: { "plugin.js": 'export default { name: "bad", apiVersion: 2 }' },
      },
      "the plugin bad is for version 2 of the plugin interface, and this silk speaks 1",
      5,
    ],
    ["lacks its entry", { name: "bad" }, "the plugin bad cannot be loaded: ", 1],
    [
      "is no plugin",
      { name: "bad", more: { silk: undefined } },
      'bad is no plugin of silk: its package.json has neither "silk" nor "oclif"',
      2,
    ],
    [
      "never ends to load",
      { name: "bad", files: { "plugin.js": "await new Promise(() => {})" } },
      "its entry ./plugin.js is not loaded after 2000 ms",
      1,
    ],
    [
      "brings the backend of another one",
      {
        name: "bad",
        files: {
          "plugin.js":
            'export default { name: "bad", apiVersion: 1, backends: [{ name: "cloud-hypervisor", description: "", open() {} }] }',
        },
      },
      'the plugins @silkvm/cloud-hypervisor and bad both bring a backend "cloud-hypervisor"',
      4,
    ],
    [
      "has the name of one that comes with silk",
      { name: "@silkvm/network", files: {} },
      "@silkvm/network comes with silk",
      4,
    ],
  ])("refuses one that %s, and leaves nothing", async (_what, source, message, code) => {
    const tarball = await packPackage(sandbox.dir, source);
    const outcome = await sandbox.silk(["plugins", "install", tarball], {
      env: { SILK_HOOK_TIMEOUT_MS: "2000" },
    });
    expect(outcome.stderr).toContain(message);
    expect(outcome).toMatchObject({ code, stdout: "" });
    expect(await placed()).toEqual([]);
    expect(await sandbox.json("plugins", "list")).toEqual([]);
  });

  it("installs what is broken by force, which is then told of and takes nothing down", async () => {
    const source = { name: "bad", files: { "plugin.js": 'throw new Error("no luck")' } };
    const tarball = await packPackage(sandbox.dir, source);
    await sandbox.ok("plugins", "install", "--force", tarball);
    const list = await sandbox.ok("plugins", "list");
    expect(list).toMatch(/^bad +1\.0\.0 +installed +broken +-$/m);
    expect(list).toMatch(/^bad: the plugin bad cannot be loaded: no luck\. Update it .*$/m);
    expect(await sandbox.json("vm", "list")).toEqual([]);
    const { checks } = await sandbox.json<{ checks: { id: string; evidence: string }[] }>("doctor");
    expect(checks.find(({ id }) => id === "plugins")?.evidence).toBe(
      "the plugin bad cannot be loaded: no luck",
    );
  });

  it("does not let a failed update take the place of what works", async () => {
    const tarball = await packPackage(sandbox.dir, policy);
    await sandbox.ok("plugins", "install", tarball);
    const broken = { ...policy, files: { "plugin.js": 'throw new Error("no luck")' } };
    await packPackage(sandbox.dir, broken);
    expect((await sandbox.silk(["plugins", "update"])).stderr).toContain("no luck");
    expect(await vetoes()).toBe(true);
  });
});

describe("commands of plugins", () => {
  it("show in the help and in completion, run, and do not take the place of ours", async () => {
    const tarball = await packPackage(sandbox.dir, hello);
    await sandbox.ok("plugins", "install", tarball);
    const { stdout, stderr } = await sandbox.silk(["--help"]);
    expect(stdout).toMatch(/^ {2}hello +say hello$/m);
    expect(stderr).toBe(
      'Warning: the command "silk vm start" of the plugin silk-hello is not run: @silkvm/cli has one of that name\n',
    );
    expect((await sandbox.silk(["__complete", "bash", "--", "hel"])).stdout).toContain("hello");
    const named = await sandbox.silk(["__complete", "bash", "--", "plugins", "inspect", "silk"]);
    expect(named.stdout).toContain("silk-hello");
    expect((await sandbox.silk(["hello"])).stdout).toBe("hello\n");
    expect((await sandbox.silk(["vm", "start", "nobody"])).code).toBe(3);
    expect(await sandbox.json("plugins", "inspect", "silk-hello")).toMatchObject({
      brings: { commands: ["hello", "vm start"] },
      problems: [{ code: "COMMAND_DUPLICATE" }],
      usable: true,
    });
  });

  it("are left out without a manifest of them, since each would be loaded at each start", async () => {
    const files = {
      ...hello.files,
      "oclif.manifest.json": "",
      "hello.js": "await new Promise(() => {})",
    };
    const { "oclif.manifest.json": _none, ...rest } = files;
    const root = await writePackage(sandbox.dir, { ...hello, files: rest });
    await sandbox.ok("plugins", "link", root);
    const { code, stderr } = await sandbox.silk(["version", "--json"]);
    expect(code).toBe(0);
    expect(stderr).toBe(
      "Warning: the commands of the plugin silk-hello are left out: it has no oclif.manifest.json of its version\n",
    );
    expect(await sandbox.json("plugins", "inspect", "silk-hello")).toMatchObject({
      brings: { commands: [] },
      problems: [{ code: "PLUGIN_INVALID" }],
    });
  });
});

describe("silk plugins link", () => {
  it("uses a directory as it is, also while it is broken, and uninstall leaves it", async () => {
    const root = await writePackage(sandbox.dir, {
      name: "silk-mine",
      files: { "plugin.js": "export default 1" },
    });
    expect(await sandbox.ok("plugins", "link", root)).toBe("silk-mine 1.0.0");
    expect(await sandbox.json("plugins", "list")).toMatchObject([
      { name: "silk-mine", origin: "linked", root, usable: false },
    ]);
    expect(await sandbox.ok("plugins", "uninstall", root)).toBe("silk-mine");
    expect((await stat(root)).isDirectory()).toBe(true);
  });

  it("says that there is no package", async () => {
    expect(await sandbox.silk(["plugins", "link", sandbox.dir])).toMatchObject({
      code: 3,
      stderr: `Error: there is no ${sandbox.dir}/package.json\nHint: Name the directory of a package.\n`,
    });
  });
});

describe("silk plugins", () => {
  it("says which plugins there are where one is named that is not", async () => {
    expect(await sandbox.silk(["plugins", "uninstall", "nosuch"])).toMatchObject({
      code: 3,
      stderr: 'Error: no plugin "nosuch" is installed\nHint: None is: silk plugins list\n',
    });
    expect(await sandbox.json("plugins", "inspect", "nosuch")).toMatchObject({
      error: { code: "PLUGIN_NOT_FOUND", kind: "not-found" },
    });
  });

  it("names one whose directory has gone, and takes it away", async () => {
    const root = await writePackage(sandbox.dir, { ...policy, version: "2.0.0" });
    await sandbox.ok("plugins", "link", root);
    await rm(root, { recursive: true });
    expect(await sandbox.json("plugins", "list")).toMatchObject([
      { name: "@acme/policy", usable: false, problems: [{ code: "PLUGIN_NOT_FOUND" }] },
    ]);
    await sandbox.ok("plugins", "uninstall", "@acme/policy");
  });

  it("lists those that come with silk, too", async () => {
    const all = await sandbox.json<{ name: string; origin: string }[]>("plugins", "list", "--all");
    expect(all).toContainEqual(
      expect.objectContaining({ name: "@silkvm/network", origin: "silk", usable: true }),
    );
    expect(await sandbox.ok("plugins", "list", "--all", "--quiet")).toContain("@silkvm/network");
  });

  it("lets two installations at once wait for each other, and clears away what a killed one has left", async () => {
    const tarball = await packPackage(sandbox.dir, policy);
    await mkdir(join(sandbox.dir, "data/silk/plugins/killed/node_modules"), { recursive: true });
    const both = await Promise.all([
      sandbox.silk(["plugins", "install", tarball]),
      sandbox.silk(["plugins", "install", tarball]),
    ]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(await placed()).toHaveLength(1);
    const list = JSON.parse(
      await readFile(join(sandbox.dir, "data/silk/package.json"), "utf8"),
    ) as { oclif: { plugins: unknown[] } };
    expect(list.oclif.plugins).toHaveLength(1);
  });

  it("is refused where its list is damaged, which takes nothing else down", async () => {
    await mkdir(join(sandbox.dir, "data/silk"), { recursive: true });
    await writeFile(join(sandbox.dir, "data/silk/package.json"), "{ no json");
    const { code, stderr } = await sandbox.silk(["plugins", "list"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/Error: the list of plugins .* cannot be read/);
    expect((await sandbox.silk(["vm", "list"])).code).toBe(0);
    expect((await sandbox.silk(["doctor", "--json"])).stdout).toContain("the list of plugins");
  });
});
