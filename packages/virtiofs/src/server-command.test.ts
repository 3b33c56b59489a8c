import { describe, expect, it } from "vitest";
import { asUser, scene, type Scene } from "../test/scene.ts";
import type { ServedFsData } from "./fs-device.ts";
import { serverCommand } from "./server-command.ts";

const data: ServedFsData = {
  tag: "a",
  dir: "/srv",
  readonly: false,
  cache: "never",
  socket: "/run/fs.sock",
  numQueues: 1,
  queueSize: 1024,
};

async function command(
  here: Scene,
  said: string,
  wanted: Partial<ServedFsData> = {},
  host = asUser(0),
) {
  const virtiofsd = await here.program("vfsd", `echo '${said}'`);
  const context = here.context({ host, config: { virtiofsd } });
  return await serverCommand({ ...data, ...wanted }, context);
}

const today = "virtiofsd 1.13.0";
const older = "virtiofsd 1.10.1";
const qemus = "virtiofsd version 7.2.22 (Debian)";

describe("the virtiofsd of today", () => {
  it("is told in words of its own", async () => {
    await using here = await scene();
    const { args } = await command(here, today, { readonly: true, sandbox: "chroot" });
    expect(args).toEqual([
      "--socket-path=/run/fs.sock",
      "--shared-dir=/srv",
      "--cache=never",
      "--sandbox=chroot",
      "--readonly",
    ]);
  });

  it("runs for a user in namespaces where the host lets them make some, and without a sandbox elsewhere, which is told", async () => {
    await using here = await scene();
    const { processes } = asUser(0);
    const unshare = (exitCode: number) =>
      asUser(1000, {
        run: async (request) =>
          request.command === "unshare"
            ? { exitCode, stdout: "", stderr: "" }
            : processes.run(request),
      });
    expect((await command(here, today, {}, unshare(0))).args).toContain("--sandbox=namespace");
    expect(here.warnings).toEqual([]);
    expect((await command(here, today, {}, unshare(1))).args).toContain("--sandbox=none");
    expect(here.warnings).toEqual([expect.stringContaining("without a sandbox")]);
  });

  it("cannot chroot without root", async () => {
    await using here = await scene();
    await expect(command(here, today, { sandbox: "chroot" }, asUser(1000))).rejects.toMatchObject({
      code: "VIRTIOFSD_UNSUPPORTED",
    });
  });

  it("that is older has the directory made read-only for it, by root", async () => {
    await using here = await scene();
    const { command: program, args } = await command(here, older, { readonly: true });
    expect(program).toMatch(/\/unshare$/);
    expect(args).toContain("--socket-path=/run/fs.sock");
    expect(args).not.toContain("--readonly");
    const wanted = { readonly: true, sandbox: "none" } as const;
    await expect(command(here, older, wanted, asUser(1000))).rejects.toMatchObject({
      code: "VIRTIOFSD_UNSUPPORTED",
      message: expect.stringContaining("read-only") as string,
      hint: expect.stringContaining("1.13") as string,
    });
    await expect(command(here, older, { readonly: true, dir: "/" })).rejects.toMatchObject({
      code: "VIRTIOFSD_UNSUPPORTED",
    });
  });
});

describe("QEMU's virtiofsd", () => {
  it("is told in one argument, in which commas and backslashes of the path are no separators", async () => {
    await using here = await scene();
    const { args } = await command(here, qemus, { dir: "/a,b\\c" });
    expect(args).toEqual([
      "--socket-path=/run/fs.sock",
      "-f",
      "-o",
      String.raw`source=/a\,b\\c,cache=none,sandbox=namespace`,
    ]);
  });

  it.each<[string, Partial<ServedFsData>, number]>([
    ["runs as root only", {}, 1000],
    ["has no sandbox `none`", { sandbox: "none" }, 0],
    ["has no cache `metadata`", { cache: "metadata" }, 0],
  ])("%s", async (message, wanted, uid) => {
    await using here = await scene();
    await expect(command(here, qemus, wanted, asUser(uid))).rejects.toMatchObject({
      code: "VIRTIOFSD_UNSUPPORTED",
      kind: "unsupported",
      message: expect.stringContaining(message) as string,
    });
  });
});
