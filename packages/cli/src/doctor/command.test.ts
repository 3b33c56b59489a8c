import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../test/patient.ts";
import type { Finding } from "./finding.ts";

const root = join(import.meta.dirname, "../..");

interface Report {
  readonly ok: boolean;
  readonly checks: readonly Finding[];
}

/** Runs `silk doctor` from its source, as a program of its own. */
async function doctor(
  directory: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const body = `
    import Doctor from "./src/commands/doctor.ts";
    await Doctor.run(process.argv.slice(1), { root: ${JSON.stringify(root)} });
    process.exit();`;
  const child = spawn(
    process.execPath,
    ["--conditions=@silkvm/source", "--input-type=module", "-e", body, "--", ...args],
    {
      cwd: root,
      env: {
        PATH: process.env["PATH"],
        HOME: directory,
        LANG: "C.UTF-8",
        SILK_ROOT_DIR: join(directory, "root"),
        SILK_RUN_DIR: join(directory, "run"),
        SILK_LOG_DIR: join(directory, "log"),
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number]>,
  ]);
  return { stdout, stderr, exitCode };
}

function find({ checks }: Report, id: string): Finding | undefined {
  return checks.find((finding) => finding.id === id);
}

describe("silk doctor", () => {
  it("prints one JSON object, whose verdict is its exit code, and changes nothing", async () => {
    await using directory = await temporaryDirectory();
    const { stdout, exitCode } = await doctor(directory.path, ["--json"]);
    const report = JSON.parse(stdout) as Report;
    expect(exitCode).toBe(report.ok ? 0 : 1);
    expect(report.ok).toBe(report.checks.every(({ status }) => status !== "failed"));
    expect(find(report, "root-dir")).toMatchObject({ status: "warning", fix: { automatic: true } });
    expect(find(report, "node")).toMatchObject({ status: "ok", evidence: process.versions.node });
    expect(find(report, "vmm-cloud-hypervisor")).toBeDefined();
    expect(await readdir(directory.path)).toEqual([]);
  });

  it("shows people a report with a line for each check", async () => {
    await using directory = await temporaryDirectory();
    const { stdout } = await doctor(directory.path, []);
    expect(stdout).toContain("Virtualization\n");
    expect(stdout).toContain(`  ✓ Node.js  `);
    expect(stdout).toMatch(/\n\d+ ok.*\.\n$/);
  });

  it("makes the directories with --fix", async () => {
    await using directory = await temporaryDirectory();
    // Where root runs the tests, no module of the kernel is to be loaded by them.
    const { stdout } = await doctor(directory.path, ["--fix", "--json"], {
      MODPROBE_OPTIONS: "--dry-run",
    });
    expect(find(JSON.parse(stdout) as Report, "root-dir")).toMatchObject({
      status: "ok",
      repaired: `made ${join(directory.path, "root")}`,
    });
  });

  it("works with a configuration that every other command refuses, and says what is wrong with it", async () => {
    await using directory = await temporaryDirectory();
    const config = join(directory.path, "config.json");
    await writeFile(config, '{ "rotDir": "/data" }');
    const { stdout, exitCode } = await doctor(directory.path, ["--json", "--config", config]);
    const report = JSON.parse(stdout) as Report;
    expect(exitCode).toBe(1);
    expect(find(report, "config")).toMatchObject({
      status: "failed",
      evidence: expect.stringContaining('there is no setting "rotDir"') as string,
    });
    expect(find(report, "root-dir")?.evidence).toContain(join(directory.path, "root"));
  });

  it("names a broken plugin and works without it", async () => {
    await using directory = await temporaryDirectory();
    const plugin = join(directory.path, "plugin");
    await mkdir(plugin);
    await writeFile(
      join(plugin, "package.json"),
      JSON.stringify({ name: "@acme/fast", type: "module", silk: { plugin: "./index.js" } }),
    );
    await writeFile(join(plugin, "index.js"), 'throw new Error("boom")');
    const { stdout } = await doctor(directory.path, ["--json"], { SILK_PLUGINS: plugin });
    expect(find(JSON.parse(stdout) as Report, "plugins")).toMatchObject({
      status: "warning",
      evidence: expect.stringContaining("boom") as string,
    });
  });

  it("says which program it looked for where the VMM is missing", async () => {
    await using directory = await temporaryDirectory();
    const { stdout, exitCode } = await doctor(directory.path, ["--json"], {
      SILK_CH_BINARY: "/nowhere/cloud-hypervisor",
    });
    expect(exitCode).toBe(1);
    expect(find(JSON.parse(stdout) as Report, "vmm-cloud-hypervisor")).toMatchObject({
      status: "failed",
      evidence: expect.stringContaining("/nowhere/cloud-hypervisor") as string,
    });
  });
});
