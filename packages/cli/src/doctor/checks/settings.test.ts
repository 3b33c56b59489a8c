import { createEngine, definePlugin, SilkError } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import {
  contextOf,
  examineHost,
  hostWith,
  patientAt,
  refusal,
  showing,
} from "../../../test/patient.ts";
import { configuration } from "./config.ts";
import { node } from "./node.ts";
import { openFiles } from "./open-files.ts";
import { plugins } from "./plugins.ts";

describe("the check of Node.js", () => {
  it("accepts the one that runs this", async () => {
    expect(await examineHost(node, linuxHost())).toEqual({
      status: "ok",
      evidence: process.versions.node,
    });
  });

  it("refuses one before 24", async () => {
    expect(await examineHost(node, linuxHost(), { nodeVersion: "22.9.0" })).toMatchObject({
      status: "failed",
      evidence: "22.9.0 is older than 24",
    });
  });
});

describe("the check of the limit of open files", () => {
  const limits = (soft: string) =>
    hostWith({
      files: showing({
        "/proc/self/limits": `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${soft}                 524288               files\n`,
      }),
    });

  it("reads the limit of this process", async () => {
    expect((await examineHost(openFiles, linuxHost())).evidence).toMatch(
      /^at most (\d+|unlimited) in one process$/,
    );
  });

  it("warns of a low one and gives the command that raises it", async () => {
    expect(await examineHost(openFiles, limits("1024"))).toMatchObject({
      status: "warning",
      evidence: "at most 1024 in one process",
      fix: { command: "ulimit -n 65536" },
    });
    expect((await examineHost(openFiles, limits("65536"))).status).toBe("ok");
    expect((await examineHost(openFiles, limits("unlimited"))).status).toBe("ok");
  });

  it("is skipped where /proc does not tell", async () => {
    expect(
      (await examineHost(openFiles, hostWith({ files: { readText: refusal("ENOENT") } }))).status,
    ).toBe("skipped");
  });
});

describe("the check of the configuration", () => {
  it("tells which file and which variables were read", async () => {
    const env = { SILK_ROOT_DIR: "/data", HOME: "/root" };
    expect(await examineHost(configuration, linuxHost(), { env })).toEqual({
      status: "ok",
      evidence: "no file at /nowhere/config.json: defaults, and SILK_ROOT_DIR",
    });
  });

  it("fails with the reason where the configuration cannot be read", async () => {
    const configProblem = new SilkError('there is no setting "rotDir"', {
      code: "INVALID_CONFIG",
      kind: "invalid",
      hint: "The settings are rootDir.",
    });
    expect(await examineHost(configuration, linuxHost(), { configProblem })).toMatchObject({
      status: "failed",
      evidence: 'there is no setting "rotDir"',
      fix: { description: "The settings are rootDir." },
    });
  });

  it("warns of a variable that is nearly a setting's, and of no other", async () => {
    const env = { SILK_ROOTDIR: "/data", SILK_ACME_TOKEN: "x" };
    expect(await examineHost(configuration, linuxHost(), { env })).toMatchObject({
      status: "warning",
      evidence: "SILK_ROOTDIR in the environment is not read",
      fix: { command: 'export SILK_ROOT_DIR="$SILK_ROOTDIR"' },
    });
    expect(
      (await examineHost(configuration, linuxHost(), { env: { SILK_ACME_TOKEN: "x" } })).status,
    ).toBe("ok");
  });
});

describe("the check of the plugins", () => {
  const host = linuxHost();
  const { config } = patientAt("/nowhere");
  const backend = {
    name: "cloud-hypervisor",
    description: "",
    open: () => Promise.reject(new Error("not opened")),
  };
  const bringing = definePlugin({ name: "bringing", apiVersion: 1, backends: [backend] });
  const broken = {
    name: "@acme/fast",
    error: new SilkError("the plugin @acme/fast cannot be loaded: boom", {
      code: "PLUGIN_INVALID",
      kind: "invalid",
    }),
  };

  it("names the plugins that were loaded", async () => {
    await using engine = await createEngine({ host, config, plugins: [bringing] });
    const context = await contextOf(
      patientAt("/nowhere", { engine, plugins: { loaded: ["bringing"], failed: [] } }),
    );
    expect(await plugins.run(context)).toEqual({ status: "ok", evidence: "bringing" });
  });

  it("warns of one that could not be loaded, and fails where VMs cannot be made without it", async () => {
    await using engine = await createEngine({ host, config, plugins: [bringing] });
    const found = { loaded: ["bringing"], failed: [broken] };
    expect(
      await plugins.run(await contextOf(patientAt("/nowhere", { engine, plugins: found }))),
    ).toMatchObject({
      status: "warning",
      evidence: broken.error.message,
      fix: { command: "silk plugins uninstall @acme/fast" },
    });
    await using empty = await createEngine({ host, config, plugins: [] });
    expect(
      (await plugins.run(await contextOf(patientAt("/nowhere", { engine: empty, plugins: found }))))
        .status,
    ).toBe("failed");
  });

  it("fails where nothing brings the default backend, and names one that is there", async () => {
    await using engine = await createEngine({ host, config, plugins: [bringing] });
    const patient = patientAt("/nowhere", { engine, config: { ...config, backend: "qemu" } });
    expect(await plugins.run(await contextOf(patient))).toMatchObject({
      status: "failed",
      evidence: "no plugin brings the backend qemu (loaded: none)",
      fix: { command: "silk config set backend cloud-hypervisor" },
    });
  });

  it("fails where one is missing that is required", async () => {
    const required = { ...config, requiredPlugins: ["@acme/policy"] };
    await using engine = await createEngine({ host, config: required, plugins: [bringing] });
    const error = new SilkError("it is for another silk", { code: "X", kind: "invalid" });
    const found = { loaded: ["bringing"], failed: [{ name: "@acme/policy", error }] };
    expect(
      await plugins.run(await contextOf(patientAt("/nowhere", { engine, plugins: found }))),
    ).toMatchObject({
      status: "failed",
      evidence: "the setting requiredPlugins names @acme/policy: it is for another silk",
      fix: { command: "silk plugins install @acme/policy" },
    });
  });

  it("fails where the plugins do not go together", async () => {
    const engineProblem = await createEngine({
      host,
      config,
      plugins: [bringing, { ...bringing, name: "again" }],
    }).then(
      () => undefined,
      (error: unknown) => error as SilkError,
    );
    expect(
      await plugins.run(await contextOf(patientAt("/nowhere", { engineProblem }))),
    ).toMatchObject({
      status: "failed",
      evidence: 'the plugins bringing and again both bring a backend "cloud-hypervisor"',
    });
  });
});
