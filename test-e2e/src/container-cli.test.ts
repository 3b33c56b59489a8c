import { createHash } from "node:crypto";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { VmSummary, VmView } from "@silkvm/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { imagesMissing } from "./image-scene.ts";
import { writeOciLayout } from "./oci-image.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { type Silk, silkIn } from "./silk.ts";
import { targets } from "./targets.ts";

const [simulated] = targets;
const small = ["--cpus", "1", "--memory", "64M", "--storage", "16M"];

const hasKernel =
  existsSync("/bin/busybox") &&
  existsSync("/boot") &&
  readdirSync("/boot").some((name) => name.startsWith("vmlinuz-"));
if (!hasKernel) console.warn("skipped: busybox or a kernel in /boot is not there");

/** What the simulated guest runs is a little set of programs of its own. */
describe.skipIf(imagesMissing !== undefined || !hasKernel)("containers, on the simulator", () => {
  let sandbox: Sandbox;
  let silk: Silk;

  beforeAll(async () => {
    if (simulated === undefined) throw new Error("there is no simulator");
    sandbox = await makeSandbox(simulated.chBinary());
    silk = silkIn(sandbox);
    const layout = join(sandbox.dir, "layout");
    const config = { Env: ["WHO=the image"], Cmd: ["exit", "9"], WorkingDir: "/srv" };
    writeOciLayout(layout, [{ "etc/os-release": "ID=test\n" }], { tag: "1.0", config });
    await silk.ok("image", "import", layout, "--name", "tool:1.0");
  });
  afterAll(() => sandbox[Symbol.asyncDispose]());

  const run = (...args: readonly string[]) => silk.run(["vm", "run", ...small, ...args]);
  const list = () => silk.json<VmSummary[]>("vm", "list");

  it("print what the program prints, end with its exit code, and are gone with --rm", async () => {
    expect(await run("--rm", "tool:1.0", "echo", "--rm", "it", "says")).toMatchObject({
      code: 0,
      stdout: "--rm it says\n",
    });
    expect(await run("--rm", "tool:1.0")).toMatchObject({ code: 9, stdout: "" });
    expect(await run("--rm", "tool:1.0", "--", "exit", "3")).toMatchObject({ code: 3 });
    expect(await run("--rm", "tool:1.0", "nosuch", "--help")).toMatchObject({
      code: 127,
      stdout: "",
      stderr: expect.stringContaining("silk: nosuch: there is no such program") as string,
    });
    expect(await list()).toEqual([]);
    expect(readdirSync(join(sandbox.config.rootDir, "vms"))).toEqual([]);
  });

  it("have stdout and stderr apart, and as they were written where both go to one place", async () => {
    const complains = ["vm", "run", "--rm", ...small, "tool:1.0", "complain", "no such luck"];
    const { code, stdout, stderr } = await silk.run(complains);
    expect({ code, stdout, stderr: stderr.split("\n").at(-2) }).toEqual({
      code: 1,
      stdout: "",
      stderr: "no such luck",
    });
    const words = ["sh", "-c", 'exec "$@" 2>&1', "sh"];
    expect(await silk.run(complains, { under: words })).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/no such luck\n$/) as string,
      stderr: "",
    });
  });

  it("do not begin without a directory of the host, and leave nothing behind", async () => {
    const volume = ["-v", `${sandbox.dir}:/data`];
    const virtiofsd = join(sandbox.dir, "fails");
    const script =
      '#!/bin/sh\n[ "$1" = --version ] && exec echo virtiofsd 1.13.0\necho broken >&2; exit 1\n';
    writeFileSync(virtiofsd, script, { mode: 0o755 });
    const env = { SILK_VIRTIOFSD: virtiofsd };
    const error = await silk.error(["vm", "run", ...small, ...volume, "tool:1.0"], { env });
    expect(error).toMatchObject({
      code: "VIRTIOFSD_FAILED",
      exitCode: 125,
      message: expect.stringContaining("broken") as string,
    });
    expect(await list()).toEqual([]);
    await silk.run(["vm", "create", "--name", "shares", ...small, ...volume, "tool:1.0"], { env });
    expect(await silk.error(["vm", "start", "shares"], { env })).toMatchObject({ exitCode: 1 });
    expect(await list()).toMatchObject([{ name: "shares", state: "error" }]);
    await silk.ok("vm", "rm", "shares");
    const missing = { SILK_VIRTIOFSD: "/nonexistent" };
    expect(
      await silk.error(["vm", "run", "--pull", "always", ...volume, "tool:1.0"], { env: missing }),
    ).toMatchObject({ code: "VIRTIOFSD_NOT_FOUND", exitCode: 125 });
  });

  it("lose not a byte of what is more than the console holds", async () => {
    const bytes = 3_000_000;
    const wanted = Buffer.alloc(bytes, "0123456789abcdef\n").toString();
    const { stdout } = await run("--rm", "tool:1.0", "bytes", String(bytes));
    const digest = (text: string) => createHash("sha256").update(text).digest("hex");
    expect([stdout.length, digest(stdout)]).toEqual([bytes, digest(wanted)]);
  });

  it("read stdin with -i to its end", async () => {
    const input = "a line\n".repeat(20_000);
    const piped = await silk.run(["vm", "run", "--rm", "-i", ...small, "tool:1.0", "cat"], {
      input,
    });
    expect(piped).toMatchObject({ code: 0 });
    expect(piped.stdout === input).toBe(true);
  });

  it("have the variables of the image, the command line, a file and the shell", async () => {
    const { stdout } = await silk.run(
      ["vm", "run", "--rm", ...small, "-e", "A=1 2", "-e", "FROM_SHELL", "-eB=", "tool:1.0", "env"],
      { env: { FROM_SHELL: "it's here" } },
    );
    const lines = stdout.split("\n");
    for (const line of ["WHO=the image", "A=1 2", "FROM_SHELL=it's here", "B="])
      expect(lines).toContain(line);
    const json = await silk.run(["vm", "run", "--rm", "--json", ...small, "tool:1.0", "exit", "4"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ exitCode: 4 });
    expect(json.code).toBe(4);
  });

  it("tell their exit code later, and run again", async () => {
    expect(await run("--name", "job", "tool:1.0", "exit", "5")).toMatchObject({ code: 5 });
    expect(await list()).toMatchObject([{ name: "job", state: "stopped", exitCode: 5 }]);
    const view = await silk.json<VmView>("vm", "inspect", "job");
    expect(view).toMatchObject({
      state: "stopped",
      exitCode: 5,
      config: { imageType: "oci-container", imageKernel: expect.any(String) as string },
    });
    expect(view.boot).toMatchObject({ kind: "direct", layered: true });
    expect(view.imageBlobIds.some((id) => id.endsWith(".initrd"))).toBe(true);
    expect(await silk.ok("gc", "--dry-run")).not.toContain(".initrd");
    await silk.ok("vm", "start", "job");
    expect(await silk.ok("vm", "wait", "job")).toBe("5\n");
    expect(await silk.json("vm", "wait", "job")).toMatchObject({ name: "job", exitCode: 5 });
    await expect
      .poll(async () => (await list())[0], { timeout: 10_000 })
      .toMatchObject({ state: "stopped", exitCode: 5 });
    expect(await silk.run(["vm", "start", "--attach", "job"])).toMatchObject({ code: 5 });
    await silk.ok("vm", "rm", "job");
    const kernel = view.config.imageKernel ?? "";
    expect(await run("--rm", "--image-kernel", kernel, "tool:1.0", "exit", "6")).toMatchObject({
      code: 6,
    });
  });

  it("run in the background with -d, know their name, and are told apart from a VM that was killed", async () => {
    const id = (await run("-d", "--name", "waits", "tool:1.0", "wait")).stdout.trim();
    expect((await silk.json<VmView>("vm", "inspect", id)).state).toBe("running");
    await silk.ok("vm", "stop", "waits");
    expect(await list()).toMatchObject([{ name: "waits", state: "stopped", exitCode: 143 }]);
    await silk.ok("vm", "start", "waits");
    expect((await list())[0]).toMatchObject({ state: "running", exitCode: null });
    await silk.ok("vm", "stop", "--force", "waits");
    expect((await list())[0]).toMatchObject({ state: "stopped", exitCode: null });
    await silk.ok("vm", "rm", "waits");
    expect((await run("--rm", "--name", "Web.1", "tool:1.0", "hostname")).stdout).toBe("Web.1\n");
  });

  it("are stopped in order by SIGTERM, and gone with --rm", async () => {
    const { child, ended } = silk.start(["vm", "run", "--rm", ...small, "tool:1.0", "wait"]);
    await expect.poll(async () => (await list())[0]?.state, { timeout: 20_000 }).toBe("running");
    child.kill("SIGTERM");
    expect(await ended).toBe(143);
    expect(await list()).toEqual([]);
  });

  it("say what the guest said where it did not get to its end", async () => {
    const failed = await run("--rm", "tool:1.0", "panic");
    expect(failed).toMatchObject({ code: 125, stdout: "panic\r\n" });
    expect(failed.stderr).toContain("nobody knows how its program did");
    expect(await list()).toEqual([]);
  });

  it.each([
    [["--rm", "--detach", "tool:1.0"], "USAGE"],
    [["-it", "tool:1.0"], "USAGE"],
    [["-e", "=x", "tool:1.0"], "USAGE"],
    [["-v", "data:/data", "tool:1.0"], "USAGE"],
    [["-v", "/nonexistent:/data", "tool:1.0"], "DIRECTORY_NOT_FOUND"],
    [["-w", "srv", "tool:1.0"], "USAGE"],
    [["--env-from", "/nonexistent", "tool:1.0"], "FILE_NOT_FOUND"],
    [["tool:1.0", "--name", "web"], "INVALID_RUN"],
    [["--kernel", "/boot/vmlinuz", "tool:1.0"], "INVALID_SPEC"],
    [["--image-kernel", "0.0.1", "tool:1.0"], "KERNEL_NOT_FOUND"],
    [["--image-kernel", "0.0.1", "--kernel", "/boot/vmlinuz", "tool:1.0"], "INVALID_SPEC"],
    [["--nosuch", "tool:1.0"], "USAGE"],
    [
      [
        "--ssh-key",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKeyKeyKeyKeyKeyKeyKeyKeyKeyKeyKeyKeyKeyKeyKe",
        "tool:1.0",
      ],
      "INVALID_SPEC",
    ],
  ] as const)("refuse silk vm run %j", async (args, code) => {
    const error = await silk.error(["vm", "run", ...small, ...args]);
    const waits = !(args as readonly string[]).includes("--detach");
    expect(error).toMatchObject({ code, exitCode: waits ? 125 : 2 });
    expect(await list()).toEqual([]);
  });
});
