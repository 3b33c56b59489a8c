import { mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createEngine,
  type Engine,
  type Host,
  type ProcessIdentity,
  type PluginDefinition,
  type SilkEvent,
  type VmSpec,
} from "@silkvm/core";
import { conformanceCases } from "@silkvm/core/conformance";
import { linuxHost } from "@silkvm/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tailPlugin } from "./tail-backend.ts";

const host = linuxHost();
const spec: VmSpec = {
  boot: { kernel: "/none" },
  storageBytes: 2 ** 20,
  cpus: 1,
  memoryBytes: 2 ** 20,
};
let dir: string;
let engines: Engine[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "silk-engine-"));
  engines = [];
});
afterEach(async () => {
  for (const engine of engines) {
    const all = await engine.list({ all: true });
    await engine.delete(
      all.map(({ id }) => id),
      { force: true },
    );
    await engine[Symbol.asyncDispose]();
  }
  await rm(dir, { recursive: true, force: true });
});

async function open(plugins: readonly PluginDefinition[] = [], on: Host = host): Promise<Engine> {
  const config = {
    rootDir: join(dir, "root"),
    runDir: join(dir, "run"),
    logDir: join(dir, "log"),
    backend: "tail",
  };
  const engine = await createEngine({ host: on, plugins: [tailPlugin, ...plugins], config });
  engines.push(engine);
  return engine;
}

describe("the smallest backend is judged by the conformance suite", () => {
  for (const { name, run } of conformanceCases({
    host,
    engine: async () => {
      const engine = await open();
      engines = [];
      return engine;
    },
    spec: () => spec,
    guestStopsWhenAsked: true,
  }))
    it(name, run);
});

describe("the engine", () => {
  it("writes nothing when it only reads", async () => {
    const engine = await open();
    expect(await engine.list()).toEqual([]);
    await expect(engine.inspect("web")).rejects.toMatchObject({ code: "VM_NOT_FOUND" });
    expect(await Array.fromAsync(engine.events())).toEqual([]);
    expect(await host.files.list(dir)).toEqual([]);
  });

  it("lets two engines work on one root, and each sees what the other does", async () => {
    const [one, other] = [await open(), await open()];
    const vm = await one.create({ ...spec, name: "web" });
    expect((await other.get("web")).id).toBe(vm.id);
    await Promise.all([one.start(["web"]), other.start(["web"])]);
    expect((await other.list())[0]).toMatchObject({ name: "web", state: "running" });
    const types = (await Array.fromAsync(other.events())).map(({ type }) => type);
    expect(types).toEqual(["vm.created", "vm.started"]);
  });

  it("fails as busy, and names the holder, where it may not wait", async () => {
    const release = Promise.withResolvers<void>();
    const slow = await open([
      { name: "slow", apiVersion: 1, hooks: { "vm:before-start": () => release.promise } },
    ]);
    await slow.create({ ...spec, name: "web" });
    const starting = slow.start(["web"]);
    const impatient = await open();
    await expect
      .poll(async () => (await impatient.start(["web"], { wait: false })).failed[0]?.error.code)
      .toBe("VM_BUSY");
    release.resolve();
    expect((await starting).failed).toEqual([]);
  });

  it("lets a hook veto, and tells the reason", async () => {
    const engine = await open([
      {
        name: "policy",
        apiVersion: 1,
        hooks: { "vm:before-create": () => ({ veto: "every VM needs an owner" }) },
      },
    ]);
    await expect(engine.create(spec)).rejects.toMatchObject({
      code: "VETOED",
      message: expect.stringContaining("every VM needs an owner"),
    });
    expect(await engine.list({ all: true })).toEqual([]);
  });

  it("follows the events of another engine, and notices a VMM that was killed", async () => {
    const engine = await open();
    const watcher = await open();
    const vm = await engine.create({ ...spec, name: "web" });
    const abort = new AbortController();
    const seen: SilkEvent[] = [];
    const watching = (async () => {
      for await (const event of watcher.events({ follow: true, after: 0, signal: abort.signal }))
        seen.push(event);
    })();
    await vm.start();
    const { runtime } = await vm.inspect();
    await host.processes.signal(runtime!.vmm, "SIGKILL");
    await expect
      .poll(() => seen.map(({ type }) => type), { timeout: 5_000 })
      .toEqual(["vm.created", "vm.started", "vm.exited"]);
    abort.abort();
    await watching;
    expect(seen.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    const resumed = await Array.fromAsync(engine.events({ after: 2 }));
    expect(resumed).toEqual([seen[2]]);
  });

  it("tells a VM that ended with its host from one whose VMM died", async () => {
    const vm = await (await open()).create({ ...spec, name: "web" });
    await vm.start();
    const { runtime } = await vm.inspect();
    const rebooted = { ...host, facts: { ...host.facts, bootId: "another" } };
    const isAlive = (identity: ProcessIdentity): boolean =>
      identity.bootId === "another" && host.processes.isAlive(identity);
    rebooted.processes = { ...host.processes, isAlive };
    const engine = await open([], rebooted);
    expect(await engine.inspect("web")).toMatchObject({
      state: "error",
      problem: { code: "HOST_RESTARTED" },
    });
    expect((await engine.list())[0]).toMatchObject({
      state: "error",
      pid: null,
      problem: { code: "HOST_RESTARTED" },
    });
    expect(host.processes.isAlive(runtime!.vmm)).toBe(true);
  });

  it("says that events are gone, instead of leaving them out", async () => {
    const engine = await open();
    await engine.create(spec);
    const database = host.openDatabase(join(dir, "root/silk.db"), { readOnly: false });
    database.exec("UPDATE events SET seq = 50");
    database.close();
    await expect(Array.fromAsync(engine.events({ after: 7 }))).rejects.toMatchObject({
      code: "EVENTS_GONE",
      details: { after: 7, firstSeq: 50 },
    });
    expect(await Array.fromAsync(engine.events({ after: 49 }))).toHaveLength(1);
    expect(await Array.fromAsync(engine.events())).toHaveLength(1);
  });

  it("collects what no record owns, and tells of it first", async () => {
    const engine = await open();
    const vm = await engine.create({ ...spec, name: "web" });
    await vm.start();
    await host.files.mkdir(join(dir, "root/vms/ghost"), { mode: 0o700 });
    const told = await engine.gc({ dryRun: true });
    expect(told).toEqual([
      { kind: "data", name: join(dir, "root/vms/ghost"), why: "no VM has the id ghost" },
    ]);
    expect(await engine.gc()).toEqual(told);
    expect(await engine.gc()).toEqual([]);
    expect((await vm.inspect()).state).toBe("running");
  });

  it("collects nothing of a store that was moved away", async () => {
    const warnings: string[] = [];
    {
      await using engine = await open();
      await engine.create({ ...spec, name: "web" });
      engines = [];
    }
    for (const name of ["silk.db", "silk.db-wal", "silk.db-shm"])
      await rm(join(dir, "root", name), { force: true });
    const [disks] = await readdir(join(dir, "root/vms"));
    await utimes(join(dir, "root/vms", disks!), 1, 1);
    const engine = await open();
    await engine.create({ ...spec, name: "other" });
    expect(await engine.gc({ onWarning: (message) => warnings.push(message) })).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining(`${disks} is older than the store`)]);
    expect(await readdir(join(dir, "root/vms"))).toContain(disks);
  });

  it("disposes of a VM as it was told to", async () => {
    const engine = await open();
    {
      await using vm = await engine.create({ ...spec, name: "short" }, { dispose: "delete" });
      await vm.start();
    }
    expect(await engine.list()).toEqual([]);
    {
      await using vm = await engine.create({ ...spec, name: "long" });
      await vm.start();
    }
    expect((await engine.list())[0]).toMatchObject({ name: "long", state: "running" });
  });

  it("gives a log's last lines, and what comes", async () => {
    const engine = await open();
    const vm = await engine.create({ ...spec, name: "web" });
    await vm.start();
    const { paths } = await vm.inspect();
    await host.files.writeAtomic(paths.logPath, "one\ntwo\nthree\n", { mode: 0o600 });
    const read = async (tailLines?: number) =>
      (await Array.fromAsync(engine.logs("web", { tailLines }))).join("");
    expect([await read(), await read(2), await read(1), await read(0)]).toEqual([
      "one\ntwo\nthree\n",
      "two\nthree\n",
      "three\n",
      "",
    ]);
  });

  it("tells plain JavaScript how a snapshot is named", async () => {
    const engine = await open();
    const vm = await engine.create(spec);
    for (const from of ["golden", undefined, {}]) {
      const wrong = { code: "INVALID_REF", kind: "invalid" };
      await expect(vm.restore(from as never)).rejects.toMatchObject(wrong);
      await expect(engine.clone(from as never)).rejects.toMatchObject(wrong);
    }
  });

  it("is of no use once it is closed, and says so", async () => {
    const engine = await open();
    engines = [];
    await engine[Symbol.asyncDispose]();
    await expect(engine.list()).rejects.toMatchObject({ code: "ENGINE_CLOSED" });
  });
});
