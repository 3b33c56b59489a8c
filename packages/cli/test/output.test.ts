import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSandbox, type Sandbox, silkPath } from "./support/sandbox.ts";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await makeSandbox();
});
afterAll(() => sandbox[Symbol.asyncDispose]());

/** Runs a line of shell, in which `silk` is the program. */
async function shell(line: string, env: Readonly<Record<string, string>> = {}) {
  const script = `silk() { '${process.execPath}' '${silkPath}' "$@"; }; ${line}`;
  return await new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(
      "/bin/bash",
      ["-c", script],
      { env: { ...sandbox.env, ...env } },
      (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr }),
    );
  });
}

/** Runs a script in each process before its program. */
function preload(script: string): Record<string, string> {
  const url = `data:text/javascript,${encodeURIComponent(script)}`;
  return { NODE_OPTIONS: `${sandbox.env["NODE_OPTIONS"] ?? ""} --import=${url}` };
}

describe("stdout", () => {
  it("may be closed by its reader: that is no failure, and nobody hears of it", async () => {
    expect(await shell("silk vm create --help | head -1; echo ${PIPESTATUS[0]}")).toEqual({
      code: 0,
      stdout: "make a VM and print its id; nothing runs yet\n0\n",
      stderr: "",
    });
    expect(await shell("silk vm list | true; echo ${PIPESTATUS[0]}")).toEqual({
      code: 0,
      stdout: "0\n",
      stderr: "",
    });
  });

  it.skipIf(!existsSync("/dev/full"))("that takes nothing more is a failure", async () => {
    expect(await shell("silk vm list >/dev/full")).toEqual({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^Error: cannot write to stdout: ENOSPC.*\n$/),
    });
  });

  it("holds one JSON document whatever happens, and stderr nothing", async () => {
    for (const line of ["vm list", "vm inspect nosuch", "gc --dry-run", "config list", "nosuch"]) {
      const { stdout, stderr } = await shell(`silk ${line} --json`);
      expect(stdout.split("\n"), line).toHaveLength(2);
      expect(JSON.parse(stdout), line).toBeDefined();
      expect(stderr, line).toBe("");
    }
  });
});

describe("an error", () => {
  it("shows its stack to people who debug, and to nobody else", async () => {
    expect((await shell("silk vm inspect nosuch")).stderr).not.toContain("    at ");
    expect((await shell("silk vm inspect nosuch --log-level debug")).stderr).toContain("    at ");
    const env = { SILK_LOG_LEVEL: "debug" };
    expect((await shell("silk vm inspect nosuch", env)).stderr).toContain("    at ");
  });
});

describe("the runtime's own warnings", () => {
  it("are nothing for users", async () => {
    const env = preload('process.emitWarning("old", "DeprecationWarning");');
    expect((await shell("silk config get backend", env)).stderr).toBe("");
  });
});

describe("a NODE_ENV of the user's", () => {
  it.each(["development", "test", "production"])("does not change what %s sees", async (value) => {
    const env = { NODE_ENV: value };
    expect(await shell("silk vm list -q; silk __complete bash -- ver", env)).toEqual({
      code: 0,
      stdout: "version\n:nothing\n",
      stderr: "",
    });
  });
});

describe("a command that only reads", () => {
  it("loads neither HTTP, nor processes, nor system calls, nor a backend", async () => {
    const recorder = `import { registerHooks } from "node:module"; registerHooks({ load(url, context, next) { process.stderr.write(url + "\\n"); return next(url, context); } });`;
    // The compiled sources: of the bundle one could not tell what was loaded.
    const main = join(silkPath, "../../dist/main.js");
    const program = `import("${main}").then(({ main }) => main(["vm", "list"], "${main}"))`;
    const { stderr, code } = await shell(
      `'${process.execPath}' -e '${program}'`,
      preload(recorder),
    );
    expect(code).toBe(0);
    expect(stderr).toContain("/commands/vm/list.js");
    expect(stderr).not.toMatch(/\/(undici|execa|koffi)@|\/cloud-hypervisor\/|\/ch-client\//);
  });
});
