import { readFile, stat, writeFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSandbox, type Sandbox } from "./support/sandbox.ts";

let sandbox: Sandbox;
let file: string;
beforeAll(async () => {
  sandbox = await makeSandbox();
  file = join(sandbox.dir, "etc/silk/config.json");
});
afterAll(() => sandbox[Symbol.asyncDispose]());

describe("silk config", () => {
  it("writes a setting, reads it, lists where it comes from, and takes it out again", async () => {
    const config = ["--config", file];
    const set = await sandbox.silk(["config", "set", "concurrency", "4", ...config]);
    expect(set).toEqual({ code: 0, signal: null, stdout: "", stderr: `Written to ${file}.\n` });
    await sandbox.ok("config", "set", "plugins", "@acme/a,@acme/b", ...config);
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual({
      concurrency: 4,
      plugins: ["@acme/a", "@acme/b"],
    });
    expect((await stat(file)).mode & 0o777).toBe(0o644);

    expect(await sandbox.ok("config", "get", "concurrency", ...config)).toBe("4");
    expect(await sandbox.ok("config", "get", "plugins", ...config)).toBe("@acme/a,@acme/b");
    expect(await sandbox.json("config", "get", "concurrency", ...config)).toEqual({
      key: "concurrency",
      value: 4,
      origin: "file",
    });
    const listed = await sandbox.json<{ key: string }[]>(
      "config",
      "list",
      ...config,
      "--log-dir",
      "/flag",
    );
    expect(listed).toEqual(
      expect.arrayContaining([
        { key: "concurrency", value: 4, origin: "file" },
        { key: "rootDir", value: join(sandbox.dir, "root"), origin: "environment" },
        { key: "logDir", value: "/flag", origin: "flag" },
        { key: "stopGraceMs", value: 30_000, origin: "default" },
      ]),
    );
    const table = await sandbox.ok("config", "list", ...config);
    expect(table).toMatch(/^SETTING +VALUE +ORIGIN\n/);
    expect(table).toMatch(/^concurrency +4 +file$/m);

    await sandbox.ok("config", "unset", "concurrency", ...config);
    expect(await sandbox.json("config", "get", "concurrency", ...config)).toMatchObject({
      origin: "default",
    });
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ plugins: ["@acme/a", "@acme/b"] });
  });

  it("writes a relative path so that it means the same everywhere", async () => {
    const { value } = await sandbox.json<{ value: string }>("config", "set", "chBinary", "bin/ch");
    expect(isAbsolute(value)).toBe(true);
    expect(await sandbox.json("config", "set", "chBinary", "ch")).toMatchObject({ value: "ch" });
    await sandbox.ok("config", "unset", "chBinary");
  });

  it("writes the file that the environment names", async () => {
    expect(await sandbox.json("config", "set", "backend", "other")).toEqual({
      key: "backend",
      value: "other",
      path: sandbox.env["SILK_CONFIG"],
    });
    expect(await sandbox.ok("config", "get", "backend")).toBe("other");
    await sandbox.ok("config", "unset", "backend");
  });

  it("takes a backend whose plugin is not there yet, with a warning", async () => {
    const unknown = await sandbox.silk(["config", "set", "backend", "other"]);
    expect(unknown).toMatchObject({ code: 0 });
    expect(unknown.stderr).toContain(
      'Warning: no plugin brings a backend "other" yet; there are auto, cloud-hypervisor',
    );
    const known = await sandbox.silk(["config", "set", "backend", "qemu"]);
    expect(known.stderr).toBe(`Written to ${sandbox.env["SILK_CONFIG"]}.\n`);
    await sandbox.ok("config", "unset", "backend");
  });

  it.each([
    [["config", "set", "concurrency", "none"], 'the setting "concurrency" is not valid'],
    [["config", "set", "concurrency", "0"], "must be at least 1"],
    [["config", "set", "logLevel", "loud"], "must be debug, info, warn, error or silent"],
    [["config", "set", "nosuch", "1"], 'there is no setting "nosuch"'],
    [["config", "unset", "__proto__"], 'there is no setting "__proto__"'],
  ])("%j is refused and changes nothing", async (args, message) => {
    const before = await readFile(file, "utf8");
    const { code, stderr } = await sandbox.silk([...args, "--config", file]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(await readFile(file, "utf8")).toBe(before);
  });

  it("does not write over a file that it cannot read", async () => {
    const broken = join(sandbox.dir, "broken.json");
    await writeFile(broken, "{ not JSON");
    const { code, stderr } = await sandbox.silk([
      "config",
      "set",
      "concurrency",
      "4",
      "--config",
      broken,
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain(`the configuration ${broken} is not valid`);
    expect(await readFile(broken, "utf8")).toBe("{ not JSON");
    expect((await sandbox.silk(["vm", "list", "--config", broken])).code).toBe(2);
    expect((await sandbox.silk(["vm", "list", "--config", "/nosuch.json"])).code).toBe(2);
  });

  it("says which variable of the environment is wrong", async () => {
    const { code, stderr } = await sandbox.silk(["vm", "list"], {
      env: { SILK_CONCURRENCY: "many" },
    });
    expect(code).toBe(2);
    expect(stderr).toContain("SILK_CONCURRENCY is not valid");
  });
});
