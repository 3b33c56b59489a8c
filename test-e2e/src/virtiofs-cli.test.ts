import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { type Silk, silkIn } from "./silk.ts";
import { mainTargets } from "./targets.ts";
import { findVirtiofsds } from "./virtiofsds.ts";

const virtiofsd = findVirtiofsds().find(({ path }) => path !== undefined)?.path;

describe.each(mainTargets)("silk vm fs on $name", (target) => {
  const missing =
    target.missing ?? (virtiofsd === undefined ? "there is no virtiofsd, or no root" : undefined);

  async function withVm(
    program: (sandbox: Sandbox) => string,
    test: (silk: Silk, sandbox: Sandbox) => Promise<void>,
  ): Promise<void> {
    await using sandbox = await makeSandbox(target.chBinary());
    const env = { ...sandbox.env, SILK_VIRTIOFSD: program(sandbox) };
    const silk = silkIn({ ...sandbox, env });
    const { boot } = await target.spec();
    const kernel = boot.kernel;
    const size = ["--cpus", "1", "--memory", "64M", "--storage", "16M", "--shared-memory"];
    await silk.ok("vm", "run", "--name", "web", "--kernel", kernel, ...size);
    mkdirSync(join(sandbox.dir, "src"));
    try {
      await test(silk, sandbox);
    } finally {
      await silk.ok("vm", "rm", "web", "--force");
    }
  }

  it.skipIf(missing !== undefined)(
    "attaches a directory by a path from here, lists it, and takes it away",
    () =>
      withVm(
        () => virtiofsd ?? "",
        async (silk, { dir }) => {
          expect(await silk.ok("vm", "fs", "ls", "web", "--json")).toBe("[]\n");
          expect(await silk.ok("vm", "fs", "attach", "web", "--tag", "src", "--dir", "src")).toBe(
            "silk-fs-src\n",
          );
          const rows = await silk.json("vm", "fs", "list", "web");
          expect(rows).toMatchObject([
            {
              id: "silk-fs-src",
              tag: "src",
              dir: join(dir, "src"),
              readonly: false,
              cache: "auto",
              state: "attached",
              server: "serving",
              keep: false,
            },
          ]);
          expect(await silk.ok("vm", "fs", "ls", "web")).toMatch(
            /^TAG +STATE +SERVER +ACCESS +KEEP +ADDRESS +FROM\nsrc +attached +serving +writable +no +0000:00:\S+ +\/\S+\/src\n$/,
          );
          expect(await silk.ok("vm", "inspect", "web")).toContain(`tag=src dir=${dir}/src`);
          expect(
            await silk.error(["vm", "fs", "attach", "web", "--tag", "src", "--dir", "src"]),
          ).toMatchObject({ code: "DEVICE_EXISTS", exitCode: 4 });
          expect(await silk.error(["vm", "fs", "detach", "web", "--tag", "nosuch"])).toMatchObject({
            code: "DEVICE_NOT_FOUND",
            exitCode: 3,
            hint: "It has src.",
          });
          expect(await silk.ok("vm", "fs", "detach", "web", "--tag", "src")).toBe("silk-fs-src\n");
          const kept = ["--tag", "ro", "--dir", "src", "--readonly", "--keep"];
          expect(await silk.json("vm", "fs", "attach", "web", ...kept)).toMatchObject({
            id: "silk-fs-ro",
            readonly: true,
            server: "serving",
            keep: true,
          });
        },
      ),
    60_000,
  );

  it.skipIf(target.missing !== undefined)(
    "that is given up by Ctrl-C while virtiofsd starts leaves neither that nor the share",
    () =>
      withVm(
        ({ dir }) => {
          const path = join(dir, "slow-virtiofsd");
          writeFileSync(
            path,
            '#!/bin/sh\n[ "$1" = --version ] && { echo virtiofsd 1.14.0; exit; }\nexec sh -c "sleep 60; :" sh "$@"\n',
            { mode: 0o755 },
          );
          return path;
        },
        async (silk, { config }) => {
          const servers = () =>
            linuxHost().processes.find((argv) =>
              argv.some((argument) => argument.startsWith(`--socket-path=${config.runDir}`)),
            );
          const attach = silk.start(["vm", "fs", "attach", "web", "--tag", "src", "--dir", "src"]);
          await expect.poll(async () => (await servers()).length, { timeout: 10_000 }).toBe(1);
          attach.child.kill("SIGINT");
          expect(await attach.ended).toBe(130);
          expect(await servers()).toEqual([]);
          expect(await silk.json("vm", "fs", "list", "web")).toEqual([]);
          const [scope = ""] = readdirSync(config.runDir);
          const left = readdirSync(join(config.runDir, scope), { recursive: true });
          expect(left.filter((name) => String(name).includes("fs-"))).toEqual([]);
        },
      ),
    60_000,
  );
});
