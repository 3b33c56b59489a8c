import { chmod, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runSilk } from "./run.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "silk-cache-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Runs a command of each kind: one that the launcher answers, and one that it does not. */
async function run(env: Readonly<Record<string, string>>): Promise<void> {
  for (const argv of [["version"], ["version", "--no-wait"]])
    expect(
      await runSilk(argv, { cwd: dir, env: { PATH: process.env["PATH"] ?? "", ...env } }),
    ).toMatchObject({
      code: 0,
      stderr: "",
    });
}

async function files(path: string): Promise<readonly string[]> {
  return await readdir(path, { recursive: true }).catch(() => []);
}

describe("what Node has compiled is kept", () => {
  it("in a directory of the user's own, which is made", async () => {
    await run({ HOME: dir });
    const cache = join(dir, ".cache/silk/compile-cache");
    expect((await files(cache)).length).toBeGreaterThan(2);
    for (const path of [cache, join(cache, ".."), join(cache, "../..")])
      expect((await stat(path)).mode & 0o777).toBe(0o700);
  });

  it("below XDG_CACHE_HOME where it is set", async () => {
    await run({ HOME: "/nowhere", XDG_CACHE_HOME: join(dir, "cache") });
    expect((await files(join(dir, "cache/silk/compile-cache"))).length).toBeGreaterThan(2);
  });
});

describe("nothing is kept, and the program runs all the same", () => {
  it.each(["silk/compile-cache", "silk", "."])(
    "where others may write to %s below the cache directory",
    async (shared) => {
      const path = join(dir, "cache", shared);
      await mkdir(path, { recursive: true });
      await chmod(path, 0o777);
      await run({ HOME: dir, XDG_CACHE_HOME: join(dir, "cache") });
      expect(
        (await files(join(dir, "cache"))).filter(
          (name) => name.endsWith(".cache") || /v\d+/.test(name),
        ),
      ).toEqual([]);
    },
  );

  it.each([{ HOME: "" }, { HOME: "/nowhere" }, { HOME: "relative" }, {}])(
    "with %j",
    async (env) => {
      await run(env);
      expect(await files(dir)).toEqual([]);
    },
  );
});
