import { chmod, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import {
  contextOf,
  hostWith,
  makeDirectories,
  patientAt,
  temporaryDirectory,
} from "../../../test/patient.ts";
import { logDir, rootDir, runDir } from "./directory.ts";
import { reflink } from "./reflink.ts";
import { socketPath } from "./socket-path.ts";
import { space } from "./space.ts";

const mib = 1024 ** 2;

describe("the checks of the directories", () => {
  it("offer to make what is not there, and make it for its owner alone", async () => {
    await using directory = await temporaryDirectory();
    const patient = patientAt(directory.path);
    const context = await contextOf(patient);
    for (const [check, path] of [
      [rootDir, patient.config.rootDir],
      [runDir, patient.config.runDir],
      [logDir, patient.config.logDir],
    ] as const) {
      expect(await check.run(context)).toMatchObject({
        status: "warning",
        fix: { command: `mkdir -p -m 0700 ${path}`, automatic: true },
      });
      expect(await check.repair?.(context)).toBe(`made ${path}`);
      expect((await stat(path)).mode & 0o777).toBe(0o700);
      expect(await check.run(context)).toEqual({ status: "ok", evidence: `${path}, mode 0700` });
    }
  });

  it("warn of a directory that others may look into, and do not change its mode by themselves", async () => {
    await using directory = await temporaryDirectory();
    const patient = patientAt(directory.path);
    await makeDirectories(patient);
    await chmod(patient.config.runDir, 0o755);
    const context = await contextOf({ ...patient, host: hostWith({ facts: { uid: 0 } }) });
    expect(await runDir.run(context)).toMatchObject({
      status: "warning",
      fix: { command: `chmod 0700 ${patient.config.runDir}`, automatic: false },
    });
  });

  it("fail for a directory that others may write to, and never tell to close one that is there for all", async () => {
    await using directory = await temporaryDirectory();
    const patient = patientAt(directory.path);
    await makeDirectories(patient);
    await chmod(patient.config.rootDir, 0o777);
    expect(await rootDir.run(await contextOf(patient))).toMatchObject({
      status: "failed",
      fix: { automatic: false },
    });
    await chmod(patient.config.rootDir, 0o1777);
    const shared = await rootDir.run(await contextOf(patient));
    expect(shared.status).toBe("failed");
    expect(shared.fix).not.toHaveProperty("command");
  });

  it("fail where something else is in the place", async () => {
    await using directory = await temporaryDirectory();
    const patient = patientAt(directory.path);
    await writeFile(patient.config.rootDir, "");
    expect(await rootDir.run(await contextOf(patient))).toMatchObject({
      status: "failed",
      evidence: `${patient.config.rootDir} is a file`,
    });
  });

  it("fail where this user may write neither to the directory nor to its parent", async () => {
    await using directory = await temporaryDirectory();
    const host = hostWith({ files: { canAccess: async () => false }, facts: { uid: 1000 } });
    const patient = patientAt(directory.path, { host });
    const { rootDir: path } = patient.config;
    expect(await rootDir.run(await contextOf(patient))).toMatchObject({
      status: "failed",
      fix: {
        command: `sudo mkdir -p -m 0700 ${path} && sudo chown 1000 ${path}`,
        automatic: false,
      },
    });
    await mkdir(path, { mode: 0o700 });
    expect(await rootDir.run(await contextOf(patient))).toMatchObject({
      status: "failed",
      evidence: `this user may not write to ${path} (mode 0700)`,
    });
  });

  it("fail for a directory whose file system does not answer, and the other checks pass it over", async () => {
    await using directory = await temporaryDirectory();
    const context = await contextOf(patientAt(directory.path), { responds: async () => false });
    expect((await rootDir.run(context)).status).toBe("failed");
    expect(await space.run(context)).toMatchObject({
      status: "skipped",
      evidence: expect.stringContaining("does not answer") as string,
    });
    expect((await reflink.run(context)).status).toBe("skipped");
  });
});

describe("the reflink check", () => {
  it("tries it, comes to a verdict with the file system's name, and leaves nothing behind", async () => {
    await using directory = await temporaryDirectory();
    const patient = patientAt(directory.path);
    await makeDirectories(patient);
    const { type } = await linuxHost().files.space(patient.config.rootDir);
    const outcome = await reflink.run(await contextOf(patient));
    expect(["ok", "warning"]).toContain(outcome.status);
    expect(outcome.evidence).toContain(`is on ${type},`);
    if (type === "ext4" || type === "tmpfs") expect(outcome.status).toBe("warning");
    if (type === "btrfs") expect(outcome.status).toBe("ok");
    expect(await readdir(patient.config.rootDir)).toEqual([]);
  });

  it("is content where blocks are shared", async () => {
    await using directory = await temporaryDirectory();
    const host = hostWith({ files: { sharesBlocks: async () => true } });
    const patient = patientAt(directory.path, { host });
    await makeDirectories(patient);
    expect(await reflink.run(await contextOf(patient))).toMatchObject({
      status: "ok",
      evidence: expect.stringContaining("which shares blocks") as string,
    });
  });

  it("tries nothing, and makes nothing, where the directory is not there or not to be written to", async () => {
    await using directory = await temporaryDirectory();
    const patient = patientAt(directory.path);
    expect((await reflink.run(await contextOf(patient))).status).toBe("skipped");
    expect(await readdir(directory.path)).toEqual([]);
    await makeDirectories(patient);
    const host = hostWith({
      files: {
        canAccess: async () => false,
        sharesBlocks: () => Promise.reject(new Error("it was tried")),
      },
    });
    expect((await reflink.run(await contextOf({ ...patient, host }))).status).toBe("skipped");
  });

  it("does not begin once it was given up", async () => {
    await using directory = await temporaryDirectory();
    const patient = patientAt(directory.path);
    await makeDirectories(patient);
    await expect(
      reflink.run(await contextOf(patient, { signal: AbortSignal.abort() })),
    ).rejects.toThrow();
    expect(await readdir(patient.config.rootDir)).toEqual([]);
  });
});

describe("the check of the room on disk", () => {
  const withFree = async (freeBytes: number) => {
    const host = hostWith({
      files: { space: async () => ({ freeBytes, totalBytes: 100 * 1024 * mib, type: "ext4" }) },
    });
    return await space.run(
      await contextOf(patientAt("/nowhere", { host }), { responds: async () => true }),
    );
  };

  it("tells directories with much room from those with little and with next to none", async () => {
    expect(await withFree(50 * 1024 * mib)).toMatchObject({
      status: "ok",
      evidence: "50G of 100G free in /nowhere/root, /nowhere/run, /nowhere/log",
    });
    expect(await withFree(1024 * mib)).toMatchObject({
      status: "warning",
      evidence: "1G of 100G free in /nowhere/root",
    });
    expect(await withFree(mib / 2)).toMatchObject({
      status: "failed",
      fix: { command: "silk gc --dry-run", automatic: false },
    });
  });

  it("reads the room of directories that are not there yet from their parents", async () => {
    await using directory = await temporaryDirectory();
    const outcome = await space.run(await contextOf(patientAt(directory.path)));
    expect(["ok", "warning", "failed"]).toContain(outcome.status);
    expect(outcome.evidence).toContain(join(directory.path, "root"));
  });
});

describe("the check of socket paths", () => {
  it("counts the bytes of the longest path and what is left for ids", async () => {
    const patient = patientAt("/nowhere");
    const at = async (path: string) =>
      socketPath.run(await contextOf({ ...patient, config: { ...patient.config, runDir: path } }));
    expect(await at("/run/silk")).toEqual({
      status: "ok",
      evidence: "48 of 107 bytes used below /run/silk, ids may have 63 characters",
    });
    const longest = `/${"r".repeat(67)}`;
    expect(await at(longest)).toMatchObject({
      status: "ok",
      evidence: expect.stringMatching(/^107 of 107 .* ids may have 16 characters$/) as string,
    });
    expect(await at(`${longest}r`)).toMatchObject({ status: "failed", fix: { automatic: false } });
    expect((await at(`/${"é".repeat(34)}`)).status).toBe("failed");
  });
});
