import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkSetting, environmentName, loadConfig, parseSetting } from "./load.ts";

const files = { readText: (path: string) => readFile(path, "utf8") };
const sources = { env: {}, uid: 0, cwd: "/" };

async function configFile(content: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "silk-config-")), "config.json");
  await writeFile(path, content);
  return path;
}

describe("loadConfig", () => {
  it("lets a flag win over the environment, the environment over the file, and the file over the default", async () => {
    const path = await configFile('{"rootDir": "/file", "runDir": "/file-run", "concurrency": 3}');
    const loaded = await loadConfig(files, {
      ...sources,
      path,
      env: { SILK_ROOT_DIR: "/env", SILK_RUN_DIR: "/env-run" },
      flags: { rootDir: "/flag" },
    });
    expect(loaded.config).toMatchObject({
      rootDir: "/flag",
      runDir: "/env-run",
      concurrency: 3,
      logDir: "/var/log/silk",
    });
    expect(loaded.origins).toMatchObject({
      rootDir: "flag",
      runDir: "environment",
      concurrency: "file",
      logDir: "default",
    });
  });

  it("keeps an ordinary user's directories under XDG", async () => {
    const env = { HOME: "/home/u", XDG_RUNTIME_DIR: "/run/user/7", XDG_CONFIG_HOME: "/nowhere" };
    const { config, path } = await loadConfig(files, { ...sources, uid: 7, env });
    expect(config).toMatchObject({
      rootDir: "/home/u/.local/share/silk",
      runDir: "/run/user/7/silk",
      logDir: "/home/u/.local/state/silk/log",
    });
    expect(path).toBe("/nowhere/silk/config.json");
  });

  it("takes no notice of an XDG directory that is relative, nor of a SILK_CONFIG that is empty", async () => {
    const relative = { XDG_DATA_HOME: "d", XDG_RUNTIME_DIR: "r", XDG_CONFIG_HOME: "c" };
    const env = { HOME: "/home/u", XDG_STATE_HOME: "s", SILK_CONFIG: "", ...relative };
    const { config, path } = await loadConfig(files, { ...sources, uid: 7, env });
    expect(config).toMatchObject({
      rootDir: "/home/u/.local/share/silk",
      runDir: "/tmp/silk-7",
      logDir: "/home/u/.local/state/silk/log",
    });
    expect(path).toBe("/home/u/.config/silk/config.json");
  });

  it("takes relative paths of the file from the file's directory, and a program without a slash from PATH", async () => {
    const path = await configFile(
      '{"rootDir": "r", "chBinary": "bin/ch", "virtiofsd": "bin/v", "plugins": ["./p", "q"]}',
    );
    const read = (env: Record<string, string>) =>
      loadConfig(files, { ...sources, cwd: "/work", path, env });
    const { config } = await read({});
    expect(config.rootDir).toBe(join(path, "../r"));
    expect(config.chBinary).toBe(join(path, "../bin/ch"));
    expect(config.virtiofsd).toBe(join(path, "../bin/v"));
    expect(config.plugins).toEqual([join(path, "../p"), "q"]);
    expect((await read({ SILK_CH_BINARY: "./ch" })).config.chBinary).toBe("/work/ch");
    expect((await read({ SILK_CH_BINARY: "ch" })).config.chBinary).toBe("ch");
  });

  it("makes relative directories absolute", async () => {
    const { config } = await loadConfig(files, {
      ...sources,
      cwd: "/work",
      flags: { rootDir: "r" },
      env: { XDG_CONFIG_HOME: "/x" },
    });
    expect(config.rootDir).toBe("/work/r");
  });

  it("names the source and the setting of what is wrong", async () => {
    const broken = await configFile("{");
    await expect(loadConfig(files, { ...sources, path: broken })).rejects.toThrow(broken);
    const unknown = await configFile('{"rootdir": "/x"}');
    await expect(loadConfig(files, { ...sources, path: unknown })).rejects.toThrow(
      'there is no setting "rootdir"',
    );
    const env = { SILK_CONCURRENCY: "many" };
    await expect(loadConfig(files, { ...sources, env })).rejects.toThrow(
      "SILK_CONCURRENCY is not valid",
    );
    await expect(
      loadConfig(files, { ...sources, path: "/nonexistent.json" }),
    ).rejects.toMatchObject({ code: "INVALID_CONFIG" });
  });

  it("takes no inherited property for a setting", () => {
    expect(() => checkSetting("constructor", "x")).toThrow("there is no setting");
  });
});

describe("the environment's names", () => {
  it("are the settings' words in upper case", () => {
    expect([
      environmentName("rootDir"),
      environmentName("chBinary"),
      environmentName("backend"),
    ]).toEqual(["SILK_ROOT_DIR", "SILK_CH_BINARY", "SILK_BACKEND"]);
  });

  it("hold values as a person types them", () => {
    expect([
      parseSetting("concurrency", "4"),
      parseSetting("plugins", "a,b"),
      parseSetting("rootDir", "4"),
    ]).toEqual([4, ["a", "b"], "4"]);
  });
});
