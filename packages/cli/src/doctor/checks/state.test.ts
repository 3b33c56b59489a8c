import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  createEngine,
  definePlugin,
  type Engine,
  type Hypervisor,
  type PluginDefinition,
  storeVersion,
} from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { contextOf, patientAt, temporaryDirectory } from "../../../test/patient.ts";
import type { CheckContext } from "../context.ts";
import { operations } from "./operations.ts";
import { orphans } from "./orphans.ts";
import { store } from "./store.ts";

/** A backend of VMs that are only written down. */
const paper: PluginDefinition = definePlugin({
  name: "paper",
  apiVersion: 1,
  backends: [
    {
      name: "cloud-hypervisor",
      description: "",
      open: async () =>
        ({
          plan: async () => ({ disks: [] }),
          create: async () => {},
          stop: async () => {},
          delete: async () => {},
          [Symbol.asyncDispose]: async () => {},
        }) as unknown as Hypervisor,
    },
  ],
});

interface Subject extends AsyncDisposable {
  readonly context: CheckContext;
  readonly engine: Engine;
  readonly storePath: string;
}

/** A store with one VM in it, and an engine on it. */
async function subject(): Promise<Subject> {
  const directory = await temporaryDirectory();
  const patient = patientAt(directory.path);
  const { config, host } = patient;
  const engine = await createEngine({ host, config, plugins: [paper] });
  await engine.create({ name: "web", boot: { kernel: "/boot/vmlinux" } });
  const context = await contextOf({ ...patient, engine });
  return {
    context,
    engine,
    storePath: join(config.rootDir, "silk.db"),
    [Symbol.asyncDispose]: async () => {
      await engine[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Another process that is killed in the middle of making a VM. */
async function createInterrupted({ config }: CheckContext): Promise<void> {
  const body = `
    import { createEngine } from "@silkvm/core";
    import { linuxHost } from "@silkvm/sys";
    const open = async () => ({ plan: async () => ({ disks: [] }), create: async () => process.kill(process.pid, "SIGKILL") });
    const plugins = [{ name: "paper", apiVersion: 1, backends: [{ name: "cloud-hypervisor", description: "", open }] }];
    const engine = await createEngine({ host: linuxHost(), config: ${JSON.stringify(config)}, plugins });
    await engine.create({ name: "half", id: "half-made", boot: { kernel: "/boot/vmlinux" } });`;
  const cwd = join(import.meta.dirname, "../../..");
  const args = ["--conditions=@silkvm/source", "--input-type=module", "-e", body];
  const child = spawn(process.execPath, args, { cwd, stdio: "inherit" });
  const [, signal] = (await once(child, "exit")) as [number | null, string | null];
  expect(signal).toBe("SIGKILL");
}

describe("the store check", () => {
  it("finds nothing wrong where there is no store yet, and makes none", async () => {
    await using directory = await temporaryDirectory();
    expect(await store.run(await contextOf(patientAt(directory.path)))).toEqual({
      status: "ok",
      evidence: "none yet",
    });
    expect(await readdir(directory.path)).toEqual([]);
  });

  it("finds a store that is whole", async () => {
    await using one = await subject();
    expect(await store.run(one.context)).toEqual({
      status: "ok",
      evidence: `${one.storePath}, version ${storeVersion}, whole`,
    });
  });

  it("finds a store that was damaged, and gives the command that moves all of it away", async () => {
    await using one = await subject();
    await one.engine[Symbol.asyncDispose]();
    const { size } = await stat(one.storePath);
    await using file = await open(one.storePath, "r+");
    await file.write(Buffer.alloc(size - 4096, 0xa5), 0, size - 4096, 4096);
    const outcome = await store.run(one.context);
    expect(outcome).toMatchObject({
      status: "failed",
      evidence: expect.stringContaining("is damaged") as string,
      fix: { automatic: false },
    });
    expect(outcome.fix?.command).toBe(
      `mkdir ${one.storePath}.damaged && mv ${one.storePath} ${one.storePath}.damaged`,
    );
  });

  it("finds a file that is no store, and a thing that is no file", async () => {
    await using one = await subject();
    await one.engine[Symbol.asyncDispose]();
    await writeFile(
      one.storePath,
      "not a database, and longer than the header of one: ".repeat(20),
    );
    expect(await store.run(one.context)).toMatchObject({
      status: "failed",
      evidence: `${one.storePath} is no database`,
    });
    await rm(one.storePath);
    await mkdir(one.storePath);
    expect(await store.run(one.context)).toMatchObject({
      status: "failed",
      evidence: expect.stringContaining("is a directory") as string,
    });
  });

  it("finds a store that a newer silk has written", async () => {
    await using one = await subject();
    using database = linuxHost().openDatabase(one.storePath, { readOnly: false });
    database.exec("PRAGMA user_version = 99");
    expect(await store.run(one.context)).toMatchObject({
      status: "failed",
      evidence: `${one.storePath} was written by a newer silk (version 99, this one knows ${storeVersion})`,
    });
    expect(await operations.run(one.context)).toMatchObject({ status: "ok" });
    await one.engine[Symbol.asyncDispose]();
  });

  it("says that it may not read the store of another user", async () => {
    await using one = await subject();
    const host = {
      ...linuxHost(),
      openDatabase: () => {
        throw Object.assign(new Error("EACCES"), { code: "EACCES" });
      },
    };
    expect(await store.run({ ...one.context, host })).toMatchObject({
      status: "failed",
      evidence: `this user may not read ${one.storePath}`,
    });
  });
});

describe("the check of interrupted operations", () => {
  it("finds none where none was", async () => {
    await using one = await subject();
    expect(await operations.run(one.context)).toEqual({
      status: "ok",
      evidence: "none was interrupted",
    });
  });

  it("finds one whose owner was killed, and recovers it", async () => {
    await using one = await subject();
    await createInterrupted(one.context);
    const found = await operations.run(one.context);
    expect(found).toMatchObject({
      status: "warning",
      evidence: expect.stringMatching(
        /^the "create" of the VM half-made by process \d+$/,
      ) as string,
      fix: { command: "silk gc", automatic: true },
    });
    expect(await operations.repair?.(one.context)).toMatch(
      /^recovered: the "create" of the VM half-made/,
    );
    expect((await operations.run(one.context)).status).toBe("ok");
    expect((await one.engine.list({ all: true })).map(({ name }) => name)).toEqual(["web"]);
  });

  it("leaves an operation alone whose owner lives", async () => {
    await using one = await subject();
    await createInterrupted(one.context);
    const { host, config } = one.context;
    await using lock = await host.locks.acquire(join(config.rootDir, "vm.lock"), 2, { waitMs: 0 });
    expect(lock).toBeDefined();
    expect((await operations.run(one.context)).status).toBe("ok");
  });

  it("leaves alone what is older than the store, and says so", async () => {
    await using one = await subject();
    const old = join(one.context.config.rootDir, "vms", "of-another-store");
    await mkdir(old, { recursive: true });
    await utimes(old, 1, 1);
    expect(await orphans.run(one.context)).toMatchObject({
      status: "warning",
      evidence: expect.stringContaining(`${old} is older than the store`),
      fix: { automatic: false },
    });
    expect(await orphans.repair?.(one.context)).toBe("nothing was left to remove");
    expect((await stat(old)).isDirectory()).toBe(true);
  });

  it("is skipped where the store cannot be read", async () => {
    await using one = await subject();
    await one.engine[Symbol.asyncDispose]();
    expect(await operations.run(one.context)).toEqual({
      status: "skipped",
      evidence: "the store cannot be read",
    });
  });
});

describe("the check of orphans", () => {
  it("finds none where none are, also where there is no store yet", async () => {
    await using one = await subject();
    expect(await orphans.run(one.context)).toEqual({ status: "ok", evidence: "none" });
    await rm(one.context.config.rootDir, { recursive: true });
    await using engine = await createEngine({
      host: linuxHost(),
      config: one.context.config,
      plugins: [paper],
    });
    expect(await orphans.run({ ...one.context, engine })).toEqual({
      status: "ok",
      evidence: "none",
    });
  });

  it("names what no VM owns without touching it, and removes it when asked", async () => {
    await using one = await subject();
    const left = join(one.context.config.rootDir, "vms", "left-behind");
    await mkdir(left, { recursive: true });
    expect(await orphans.run(one.context)).toMatchObject({
      status: "warning",
      evidence: `${left} (no VM has the id left-behind)`,
      fix: { command: "silk gc", automatic: true },
    });
    expect((await stat(left)).isDirectory()).toBe(true);
    expect(await orphans.repair?.(one.context)).toBe(`removed ${left}`);
    await expect(stat(left)).rejects.toThrow("ENOENT");
    expect((await one.engine.list()).map(({ name }) => name)).toEqual(["web"]);
  });

  it("is skipped where the store cannot be read", async () => {
    await using one = await subject();
    await one.engine[Symbol.asyncDispose]();
    await writeFile(
      one.storePath,
      "not a database, and longer than the header of one: ".repeat(20),
    );
    await using engine = await createEngine({
      host: linuxHost(),
      config: one.context.config,
      plugins: [paper],
    });
    expect(await orphans.run({ ...one.context, engine })).toMatchObject({ status: "skipped" });
    expect(await orphans.run({ ...one.context, engine: undefined })).toMatchObject({
      status: "skipped",
    });
  });
});
