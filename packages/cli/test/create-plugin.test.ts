import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSandbox, type Sandbox } from "./support/sandbox.ts";

const exec = promisify(execFile);
const packageRoot = join(import.meta.dirname, "..");
const minute = 60_000;

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await makeSandbox();
});
afterAll(() => sandbox[Symbol.asyncDispose]());

/** Lets a package find what `npm install` would give it, as this workspace has it. */
async function install(directory: string): Promise<void> {
  for (const name of ["@silkvm/core", "@silkvm/sys", "@oclif/core", "@types/node"]) {
    const path = join(directory, "node_modules", name);
    await mkdir(dirname(path), { recursive: true });
    await symlink(join(packageRoot, "node_modules", name), path);
  }
}

async function run(directory: string, program: string, args: readonly string[]): Promise<string> {
  const options = { cwd: directory, env: { ...process.env, NODE_OPTIONS: "" } };
  const { stdout } = await exec(program, args, options).catch((error: unknown) => {
    const { stdout: out, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${program} ${args.join(" ")}\n${out}\n${stderr}`, { cause: error });
  });
  return stdout;
}

const tsc = join(packageRoot, "../../node_modules/.bin/tsc");

describe("silk plugins create", () => {
  it(
    "writes a backend that compiles, passes the conformance suite, and runs a VM once it is linked",
    async () => {
      const directory = join(sandbox.dir, "silk-fast");
      expect(await sandbox.ok("plugins", "create", "silk-fast")).toBe(directory);
      await install(directory);
      await run(directory, tsc, []);
      const told = await run(directory, process.execPath, ["--test", "test/conformance.test.ts"]);
      expect(told).toMatch(/pass 1[0-9]\n/);
      await run(directory, tsc, ["-p", "tsconfig.build.json"]);
      await sandbox.ok("plugins", "link", directory);
      expect(await sandbox.json("plugins", "inspect", "silk-fast")).toMatchObject({
        usable: true,
        problems: [],
        brings: { backends: ["fast"] },
      });
      await sandbox.ok("vm", "run", "--backend", "fast", "--name", "first", ...sandbox.vmFlags);
      const console_ = await sandbox.silk(["vm", "console", "first"], { input: "echo hello\n" });
      expect(console_.stdout).toContain("hello");
      // What its own copy of core throws is told like ours.
      const refused = ["vm", "create", "--backend", "fast", "--nics", "1", ...sandbox.vmFlags];
      expect(await sandbox.silk(refused)).toMatchObject({
        code: 5,
        stderr: expect.stringContaining('the backend "fast" gives VMs no NICs'),
      });
      await sandbox.ok("plugins", "uninstall", "silk-fast");
      expect(await sandbox.json("vm", "list")).toMatchObject([{ name: "first", state: "running" }]);
      expect(await sandbox.json("vm", "inspect", "first")).toMatchObject({
        error: { code: "BACKEND_UNKNOWN", kind: "unsupported" },
      });
      await sandbox.ok("plugins", "link", directory);
      await sandbox.ok("vm", "rm", "--force", "first");
    },
    2 * minute,
  );

  it(
    "writes hooks and a command, which are tested, and take part once they are linked",
    async () => {
      const directory = join(sandbox.dir, "mine");
      const words = ["plugins", "create", "@acme/silk-policy", "--template", "hooks"];
      expect(await sandbox.json(...words, "--dir", directory)).toMatchObject({
        name: "@acme/silk-policy",
        template: "hooks",
        directory,
        files: expect.arrayContaining([".gitignore", "src/commands/policy/rules.ts"]),
      });
      await install(directory);
      await run(directory, tsc, []);
      await run(directory, process.execPath, ["--test", "test/policy.test.ts"]);
      await run(directory, tsc, ["-p", "tsconfig.build.json"]);
      await run(directory, process.execPath, ["scripts/manifest.js"]);
      await sandbox.ok("plugins", "link", directory);
      const help = await sandbox.silk(["--help"]);
      expect(help.stdout).toMatch(/^ {2}policy +look at the policy of this host$/m);
      expect(await sandbox.ok("policy", "rules")).toBe("a VM has the label owner");
      const { code, stderr } = await sandbox.silk(["vm", "create", ...sandbox.vmFlags]);
      expect(code).toBe(4);
      expect(stderr).toContain("a VM needs an owner");
      expect(stderr).toMatch(/^@acme\/silk-policy: create {2}\([0-9a-f]+\): VETOED$/m);
      const flags = ["--name", "owned", "--label", "owner=me", ...sandbox.vmFlags];
      await sandbox.ok("vm", "create", ...flags);
      expect(await sandbox.json("vm", "inspect", "owned")).toMatchObject({
        labels: { owner: "me", policy: "policy" },
      });
      await sandbox.ok("plugins", "uninstall", "@acme/silk-policy");
    },
    2 * minute,
  );

  it.each(["Silk-Fast", "9lives", "a b", "@acme", "silk_fast", "../x"])(
    "refuses the name %j",
    async (name) => {
      const { code, stderr } = await sandbox.silk(["plugins", "create", name]);
      expect(code).toBe(2);
      expect(stderr).toContain("is no name for a plugin");
    },
  );

  it("writes into no directory that has something in it", async () => {
    const directory = join(sandbox.dir, "full");
    await mkdir(directory);
    await writeFile(join(directory, "mine.txt"), "mine");
    const outcome = await sandbox.silk(["plugins", "create", "silk-x", "--dir", directory]);
    expect(outcome).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("is there, and not empty"),
    });
    expect(await readdir(directory)).toEqual(["mine.txt"]);
  });
});

describe("the templates", () => {
  it.each(["backend", "hooks"])(
    "%s depends on what silk itself is built with",
    async (template) => {
      const path = join(packageRoot, "templates", template, "package.json");
      const { dependencies, devDependencies } = JSON.parse(await readFile(path, "utf8")) as {
        dependencies: Record<string, string>;
        devDependencies: Record<string, string>;
      };
      const catalog = await readFile(join(packageRoot, "../../pnpm-workspace.yaml"), "utf8");
      const version = (name: string): string | undefined =>
        new RegExp(`^  "?${name}"?: (?:npm:[\\w/@-]+@)?\\^?([\\d.]+)$`, "m").exec(catalog)?.[1];
      const asked = { ...dependencies, ...devDependencies };
      expect(asked["typescript"]).toBe(`^${version("@typescript/native")}`);
      expect(asked["@types/node"]).toBe(`^${version("@types/node")}`);
      if (asked["@oclif/core"] !== undefined)
        expect(asked["@oclif/core"]).toBe(`^${version("@oclif/core")}`);
    },
  );
});
