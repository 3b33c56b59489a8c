import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { followGuide, readGuide } from "./guide.ts";
import { cacheDirectory, npm } from "./npm.ts";
import { pack, publicPackages } from "./packages.ts";
import { type Registry, serveRegistry } from "./registry.ts";

const minutes = 60_000;

let dir: string;
let registry: Registry;
/** The program, as npm has installed it. */
let program: string;
/** The package that is written by the guide. */
let project: string;

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "silk-author-"));
  project = join(dir, "silk-fast");
  mkdirSync(join(dir, "tarballs"));
  const all = [];
  for (const one of publicPackages) all.push(await pack(one, join(dir, "tarballs")));
  registry = await serveRegistry(all);
  mkdirSync(join(dir, "cli"));
  writeFileSync(join(dir, "cli/package.json"), "{}");
  await npm(["install", "@silkvm/cli", registry.npmFlag], join(dir, "cli"));
  program = join(dir, "cli/node_modules/@silkvm/cli/bin/silk.js");
}, 5 * minutes);

afterAll(async () => {
  await silk("vm", "rm", "--force", "first").catch(() => undefined);
  await registry?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

async function silk(...args: string[]): Promise<Outcome> {
  return await silkWith("", ...args);
}

async function silkWith(input: string, ...args: string[]): Promise<Outcome> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("SILK_"));
  const [scope = "", address] = registry.npmFlag.slice(2).split("=", 2);
  const env = {
    // npm reaches the registry of everybody else's packages as it does for whoever runs this.
    ...Object.fromEntries(inherited),
    [`npm_config_${scope}`]: address,
    npm_config_cache: join(cacheDirectory, "npm"),
    npm_config_prefer_offline: "true",
    npm_config_user_agent: "",
    NODE_ENV: "",
    NODE_OPTIONS: "",
    XDG_DATA_HOME: join(dir, "data"),
    XDG_CONFIG_HOME: join(dir, "config"),
    XDG_CACHE_HOME: join(dir, "cache"),
    SILK_ROOT_DIR: join(dir, "root"),
    SILK_RUN_DIR: join(dir, "run"),
    SILK_LOG_DIR: join(dir, "log"),
    SILK_BACKEND: "fast",
  };
  const child = spawn(process.execPath, [program, ...args], { cwd: dir, env });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await silk(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) as string });
  return stdout.trimEnd();
}

function flush(code: string): string {
  return code.replaceAll(/^ +/gm, "");
}

const vm = ["--kernel", "/etc/hostname", "--cpus", "1", "--memory", "64M", "--storage", "0"];

describe("a plugin that is written by the guide, outside of the checkout", () => {
  it("begins as what the guide shows", async () => {
    expect(await ok("plugins", "create", "silk-fast")).toBe(project);
    const shown = readGuide().filter(({ file }) => file.startsWith("templates/"));
    expect(shown.length).toBeGreaterThan(5);
    for (const { file, text: code } of shown) {
      const written = join(project, file.replace("templates/backend/", ""));
      // A part of a file is indented by less in the guide.
      expect(flush(readFileSync(written, "utf8"))).toContain(flush(code));
    }
  });

  it(
    "compiles with all the code of the guide, and passes the conformance suite",
    async () => {
      followGuide(project);
      await npm(["install", registry.npmFlag], project);
      expect(await npm(["test"], project)).toMatch(/fail 0\n/);
    },
    5 * minutes,
  );

  it(
    "is installed by its tarball, with its own copy of core",
    async () => {
      const [tarball = ""] = (await npm(["pack", "--silent"], project))
        .trim()
        .split("\n")
        .slice(-1);
      expect(await ok("plugins", "install", join(project, tarball))).toBe("silk-fast 0.1.0");
      const [plugin] = JSON.parse(await ok("plugins", "list", "--json")) as {
        root: string;
        problems: unknown;
        brings: unknown;
      }[];
      expect(plugin).toMatchObject({
        usable: true,
        problems: [],
        brings: {
          backends: ["fast"],
          hooks: ["vm:before-create", "vm:before-clone"],
          commands: ["fast vmm"],
        },
      });
      const core = join(plugin!.root, "../@silkvm/core/package.json");
      expect(existsSync(core)).toBe(true);
      expect(core.startsWith(join(dir, "cli"))).toBe(false);
    },
    3 * minutes,
  );

  it("shows its command in the help, and runs it", async () => {
    expect(await ok("--help")).toMatch(/^ {2}fast +look at the VMM of fast$/m);
    expect(await ok("fast", "vmm")).toMatch(/\/silk-fast\/dist\/vmm\.js 1\.0\.0$/);
  });

  it("vetoes by its hook, and labels what it lets pass", async () => {
    const { code, stderr } = await silk("vm", "run", "--name", "first", ...vm);
    expect(code).toBe(4);
    expect(stderr).toContain("the plugin silk-fast does not allow this: a VM needs an owner");
    await ok("vm", "run", "--name", "first", "--label", "owner=me", ...vm);
    expect(JSON.parse(await ok("vm", "inspect", "first", "--json"))).toMatchObject({
      backend: "fast",
      state: "running",
      labels: { owner: "me", "made-by": "silk-fast" },
    });
  });

  it("runs a VM whose guest answers on its console", async () => {
    const { stdout } = await silkWith("echo hello from here\n", "vm", "console", "first");
    expect(stdout).toContain("hello from here");
  });

  it("is told apart by no class: its errors, and its capabilities, are silk's", async () => {
    const refused = await silk(
      "vm",
      "create",
      "--nics",
      "1",
      "--label",
      "owner=me",
      ...vm,
      "--json",
    );
    expect(refused.code).toBe(5);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      error: { code: "BACKEND_LACKS", kind: "unsupported", hint: "Do without: --nics 0" },
    });
    expect(await ok("vm", "debug", ...vm)).toContain("dist/vmm.js");
    const save = await silk("snapshot", "save", "first", "--json");
    expect(JSON.parse(save.stdout)).toMatchObject({ error: { code: "SNAPSHOT_UNSUPPORTED" } });
  });

  it("goes as it came: what is left of it hides nothing", async () => {
    await ok("vm", "rm", "--force", "first");
    await ok("plugins", "uninstall", "silk-fast");
    const { code, stderr } = await silk("vm", "create", ...vm);
    expect(code).toBe(5);
    expect(stderr).toContain('there is no backend "fast"');
  });
});
