import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Engine, isSilkError, type Vm } from "@silkvm/core";
import { withGate } from "@silkvm/core/testing";
import { linuxHost } from "@silkvm/sys";
import { findServer, fsAttach, fsDetach, fsList, type FsRequest } from "@silkvm/virtiofs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GuestConsole } from "./guest-console.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { mainTargets } from "./targets.ts";
import { findVirtiofsds } from "./virtiofsds.ts";

const host = linuxHost();
const virtiofsds = findVirtiofsds();
const present = virtiofsds.find(({ path }) => path !== undefined);
const pairs = mainTargets.flatMap((target) =>
  virtiofsds.map((virtiofsd) => ({
    target,
    virtiofsd,
    title: `${target.name} with ${virtiofsd.name}`,
    missing: target.missing ?? (virtiofsd.path === undefined ? "there is none" : undefined),
  })),
);

describe.each(pairs)("shared directories on $title", ({ target, virtiofsd, missing }) => {
  let sandbox: Sandbox;
  let engine: Engine;
  let web: Vm;
  let dir: string;
  const started: ChildProcess[] = [];

  beforeEach(async () => {
    if (missing !== undefined) return;
    sandbox = await makeSandbox(target.chBinary(), [], { virtiofsd: virtiofsd.path! });
    engine = await sandbox.engine();
    web = await startVm("web");
    dir = join(sandbox.dir, "a, b\\c");
    mkdirSync(dir);
  });

  afterEach(async () => {
    if (missing !== undefined) return;
    await engine.delete(
      (await engine.list({ all: true })).map(({ id }) => id),
      { force: true },
    );
    for (const child of started.splice(0)) child.kill("SIGKILL");
    expect(await leftOvers()).toEqual([]);
    // What a virtiofsd of the user's leaves is the user's, here the test's.
    for (const name of existsSync("/run/virtiofsd") ? readdirSync("/run/virtiofsd") : [])
      if (name.startsWith(sandbox.dir.replaceAll("/", "."))) rmSync(join("/run/virtiofsd", name));
    await engine[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });

  async function startVm(name: string, sharedMemory = true): Promise<Vm> {
    const vm = await engine.create({ ...(await target.spec()), name, sharedMemory });
    await vm.start();
    return vm;
  }

  /** What no VM has any more: processes of virtiofsd, their sockets, their files of pids, their logs. */
  async function leftOvers(): Promise<string[]> {
    const { runDir, logDir } = sandbox.config;
    const processes = await host.processes.find((argv) =>
      argv.some((argument) => argument.startsWith(`--socket-path=${runDir}`)),
    );
    const below = (path: string): string[] =>
      existsSync(path) ? readdirSync(path, { recursive: true, encoding: "utf8" }) : [];
    const pids = below("/run/virtiofsd").filter((name) =>
      name.startsWith(runDir.replaceAll("/", ".")),
    );
    return [
      ...processes.map(({ argv }) => argv.join(" ")),
      ...below(runDir).filter((name) => name.includes("fs-")),
      ...below(logDir).filter((name) => name.includes("@")),
      ...pids,
    ];
  }

  async function states(): Promise<unknown[]> {
    return (await fsList(engine, "web")).map(({ data, state, server }) => [
      data.tag,
      state,
      server,
    ]);
  }

  /** How many shared directories the VMM has; on a real one, how often the guest finds a virtio-fs device on its bus. */
  async function guestSees(): Promise<number> {
    if (target.name === "ch-sim") {
      const { observed } = await web.inspect();
      return (observed.devices ?? []).filter(({ kind }) => kind === "fs").length;
    }
    // One reader at a time.
    const console = await web.console();
    await console[Symbol.asyncDispose]();
    using guest = GuestConsole.openPty(console.path);
    let said = await guest.command("pci");
    // At first it says that it is there.
    while (!said.startsWith("pci")) said = await guest.readLine();
    return said.split(" ").filter((one) => one.endsWith(":1af4:105a")).length;
  }

  const refused = async (request: FsRequest, vm = "web"): Promise<unknown> => {
    try {
      return await fsAttach(engine, vm, request);
    } catch (error) {
      if (!isSilkError(error)) throw error;
      return [error.code, error.kind];
    }
  };

  /** A virtiofsd of the user's own, which waits for its client. */
  async function ownServer(socket: string): Promise<ChildProcess> {
    const isQemus = virtiofsd.name !== "virtiofsd";
    const what = isQemus ? ["-o", "source=/usr"] : ["--shared-dir=/usr"];
    const child = spawn(virtiofsd.path!, [`--socket-path=${socket}`, ...what], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    started.push(child);
    for await (const said of child.stderr) if (String(said).includes("Waiting for")) break;
    return child;
  }

  const test = it.skipIf(missing !== undefined);

  test("a directory is attached, listed with its server and its address, and detached with nothing left", async () => {
    expect(await fsAttach(engine, "web", { tag: "src", dir })).toBe("silk-fs-src");
    const [share] = await fsList(engine, "web");
    expect(share).toMatchObject({
      id: "silk-fs-src",
      data: { tag: "src", dir, readonly: false, cache: "auto" },
      state: "attached",
      server: "serving",
      bdf: expect.stringMatching(/^0000:00:/) as string,
    });
    expect(await guestSees()).toBe(1);
    expect(await fsDetach(engine, "web", "src")).toBe("silk-fs-src");
    expect([await states(), await guestSees()]).toEqual([[], 0]);
    expect((await leftOvers()).filter((name) => !name.endsWith(".log"))).toEqual([]);
    await fsAttach(engine, "web", { tag: "src", dir });
    expect(await states()).toEqual([["src", "attached", "serving"]]);
  });

  test("a directory that the guest cannot change is read-only for its virtiofsd alone", async () => {
    await fsAttach(engine, "web", { tag: "src", dir, readonly: true, cache: "never" });
    const [share] = await fsList(engine, "web");
    const pid = share!.serverPids!.at(-1)!;
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    const mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8");
    const isMounted = /^\S+ \S+ \S+ \S+ \S+ ro,/m.test(
      mounts.split("\n").find((line) => line.includes("a,\\040b\\134c")) ?? "",
    );
    expect(command.includes("--readonly") || isMounted).toBe(true);
    mkdirSync(join(dir, "the host still can"));
  });

  test("what cannot be shared is refused, and leaves everything as it was", async () => {
    await startVm("private", false);
    await fsAttach(engine, "web", { tag: "src", dir });
    const base = { tag: "x", dir };
    expect(await refused({ ...base, tag: "a b" })).toEqual(["INVALID_TAG", "invalid"]);
    expect(await refused({ ...base, tag: "src" })).toEqual(["DEVICE_EXISTS", "conflict"]);
    expect(await refused(base, "private")).toEqual(["MEMORY_NOT_SHARED", "conflict"]);
    expect(await refused({ ...base, dir: join(dir, "none") })).toEqual([
      "DIRECTORY_NOT_FOUND",
      "not-found",
    ]);
    expect(await refused({ ...base, dir: "/etc/passwd" })).toEqual([
      "INVALID_DIRECTORY",
      "invalid",
    ]);
    expect(await refused({ ...base, numQueues: 2 })).toEqual([
      expect.stringMatching(/^VIRTIOFSD_/),
      expect.any(String),
    ]);
    expect(await states()).toEqual([["src", "attached", "serving"]]);
    expect((await leftOvers()).filter((name) => name.endsWith(".sock"))).toHaveLength(1);
    await web.stop({ force: true });
    expect(await refused(base)).toEqual(["VM_NOT_RUNNING", "conflict"]);
  });

  test("a VM that has one is not saved: the error names it, and what takes it away", async () => {
    await fsAttach(engine, "web", { tag: "src", dir });
    await expect(engine.snapshots.save("web", { name: "s" })).rejects.toMatchObject({
      code: "SNAPSHOT_UNSUPPORTED",
      message: expect.stringContaining("the shared directory src") as string,
      hint: expect.stringContaining("silk vm fs detach web --tag src") as string,
    });
    expect((await web.inspect()).observed.vmm).toBe("running");
  });

  test("a virtiofsd of the user's own serves one VM, is watched, and is left alone", async () => {
    const socket = join(sandbox.dir, "own.sock");
    await startVm("db");
    await ownServer(socket);
    await fsAttach(engine, "web", { tag: "own", socket });
    expect(await states()).toEqual([["own", "attached", "serving"]]);
    expect(await refused({ tag: "own", socket }, "db")).toEqual(["SOCKET_BUSY", "conflict"]);
    expect(await refused({ tag: "too", socket })).toEqual(["SOCKET_BUSY", "conflict"]);
    const [child] = started;
    await fsDetach(engine, "web", "own");
    if (child!.exitCode === null) await once(child!, "exit");
    expect(await refused({ tag: "own", socket })).toEqual([
      existsSync(socket) ? "SOCKET_DEAD" : "SOCKET_NOT_FOUND",
      existsSync(socket) ? "unavailable" : "not-found",
    ]);
    expect(existsSync(`${socket}x`)).toBe(false);
    await ownServer(socket);
    await fsAttach(engine, "web", { tag: "own", socket });
    started.at(-1)!.kill("SIGKILL");
    await once(started.at(-1)!, "exit");
    await expect.poll(states).toEqual([["own", "attached", "ended"]]);
    await fsDetach(engine, "web", "own");
    expect(await states()).toEqual([]);
  });

  // Whoever that is, it is no virtiofsd: once for each VMM is enough.
  it.skipIf(missing !== undefined || virtiofsd !== present)(
    "whoever listens and never answers is given up, with what to do about it",
    async () => {
      const socket = join(sandbox.dir, "silent.sock");
      const server = createServer((client) => client.on("error", () => {})).listen(socket);
      await once(server, "listening");
      const connections: { destroy(): void }[] = [];
      server.on("connection", (client) => connections.push(client));
      expect(await refused({ tag: "x", socket })).toEqual(["SOCKET_SILENT", "timeout"]);
      for (const client of connections) client.destroy();
      server.close();
      await expect
        .poll(async () => (await web.inspect()).observed.memoryBytes, { timeout: 20_000 })
        .toBeGreaterThan(0);
      await fsAttach(engine, "web", { tag: "src", dir });
      expect(await states()).toEqual([["src", "attached", "serving"]]);
    },
    60_000,
  );

  test("one whose virtiofsd was killed is seen as what it is, and detached all the same", async () => {
    await fsAttach(engine, "web", { tag: "src", dir });
    await killServers();
    expect(await states()).toEqual([["src", "attached", "ended"]]);
    await fsDetach(engine, "web", "src");
    await fsAttach(engine, "web", { tag: "src", dir });
    expect(await states()).toEqual([["src", "attached", "serving"]]);
  });

  test("one whose virtiofsd is killed just before the VMM connects fails within seconds, and can be attached again", async () => {
    const gated = withGate(host, ({ name }) => {
      if (name === "PUT vm.add-fs") killNow(sandbox);
      return undefined;
    });
    await using faulty = await sandbox.engine(gated);
    const began = performance.now();
    await expect(fsAttach(faulty, "web", { tag: "src", dir })).rejects.toMatchObject({
      code: "VIRTIOFSD_FAILED",
    });
    expect(performance.now() - began).toBeLessThan(8_000);
    expect(await states()).toEqual([]);
    await fsAttach(engine, "web", { tag: "src", dir });
    expect(await states()).toEqual([["src", "attached", "serving"]]);
  });

  test("it ends with the VM, however that ends, and comes back where it is kept", async () => {
    await fsAttach(engine, "web", { tag: "once", dir });
    await fsAttach(engine, "web", { tag: "kept", dir }, { keep: true });
    await web.stop({ force: true });
    expect(await leftOvers()).toEqual([expect.stringContaining("@"), expect.stringContaining("@")]);
    expect(await states()).toEqual([["kept", "detached", undefined]]);
    await web.start();
    expect(await states()).toEqual([["kept", "attached", "serving"]]);
    const { runtime } = await web.inspect();
    await host.processes.signal(runtime!.vmm, "SIGKILL");
    await host.processes.waitForExit(runtime!.vmm, { timeoutMs: 5_000 });
    expect(await states()).toEqual([["kept", "detached", undefined]]);
    await web.start();
    expect(await states()).toEqual([["kept", "attached", "serving"]]);
    await fsDetach(engine, "web", "kept");
    expect(await states()).toEqual([]);
  });

  test("one that cannot be had again at a start is a warning, and the VM runs without it", async () => {
    const socket = join(sandbox.dir, "own.sock");
    await ownServer(socket);
    await fsAttach(engine, "web", { tag: "own", socket }, { keep: true });
    await web.stop({ force: true });
    if (started[0]!.exitCode === null) await once(started[0]!, "exit");
    const warnings: string[] = [];
    const began = performance.now();
    await web.start({ onWarning: (message) => warnings.push(message) });
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(warnings).toEqual([
      expect.stringMatching(/could not be attached again: .*socket|is not there/),
    ]);
    expect((await web.inspect()).observed.vmm).toBe("running");
  });

  async function killServers(): Promise<void> {
    const [share] = await fsList(engine, "web");
    for (const identity of await findServer(host, share!.data.socket)) {
      await host.processes.signal(identity, "SIGKILL");
      await host.processes.waitForExit(identity, { timeoutMs: 5_000 });
    }
  }
});

/** Kills what runs with a socket in a sandbox, before anything else can happen. */
function killNow({ config }: Sandbox): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      if (argv.some((argument) => argument.startsWith(`--socket-path=${config.runDir}`)))
        process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
