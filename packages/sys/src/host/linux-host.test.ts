import { closeSync, readFileSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { startScript } from "../../test/script.ts";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { openPty } from "../pty.ts";
import { linuxHost } from "./linux-host.ts";

const host = linuxHost();

test("the facts are those of this machine", () => {
  const { cpus, memoryBytes, bootId, uid, arch } = host.facts;
  const memTotal = /^MemTotal:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  expect(memoryBytes).toBe(Number(memTotal) * 1024);
  expect(cpus).toBeGreaterThan(0);
  expect(bootId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(host.processes.self().bootId).toBe(bootId);
  expect([uid, arch]).toEqual([process.getuid?.(), process.arch]);
});

test("the clock goes forward and the bytes are random", async () => {
  const [wall, monotonic] = [host.clock.now(), host.clock.monotonicMs()];
  await host.clock.delay(20);
  expect(host.clock.now() - wall).toBeGreaterThanOrEqual(19);
  expect(host.clock.monotonicMs() - monotonic).toBeGreaterThanOrEqual(19);
  expect(host.random.bytes(16)).toHaveLength(16);
  expect(host.random.bytes(16)).not.toEqual(host.random.bytes(16));
});

test("an effect gives what its function gives, and fails as it fails", async () => {
  expect(await host.effect("call", async () => 7)).toBe(7);
  const failure = new Error("no more");
  await expect(host.effect("call", () => Promise.reject(failure))).rejects.toBe(failure);
});

test("sockets, terminals, databases and tools are reached through it", async () => {
  using directory = temporaryDirectory();
  const server = createServer((socket) => socket.end("hello")).listen(directory.join("socket"));
  await once(server, "listening");
  expect(await text(await host.connect(directory.join("socket")))).toBe("hello");
  server.close();

  const pty = openPty();
  const terminal = await host.openTerminal(pty.path);
  writeSync(pty.fd, "hi");
  expect(String(await once(terminal, "data"))).toBe("hi");
  closeSync(pty.fd);
  await once(terminal, "close");

  using database = host.openDatabase(directory.join("db"), { readOnly: false });
  using reader = host.openDatabase(directory.join("db"), { readOnly: true });
  database.exec("CREATE TABLE t (x); INSERT INTO t VALUES (7)");
  expect(reader.prepare("SELECT x FROM t").all()).toEqual([{ x: 7 }]);
  expect((await host.processes.run({ command: "echo", args: ["7"] })).stdout).toBe("7\n");
});

test("a command that only reads loads no native code, no child processes and no sockets", async () => {
  using directory = temporaryDirectory();
  host.openDatabase(directory.join("db"), { readOnly: false }).close();
  await using script = startScript(
    `import { readFileSync } from "node:fs";
     const before = new Set(process.moduleLoadList);
     const host = sys.linuxHost();
     using database = host.openDatabase(args[0], { readOnly: true });
     database.prepare("SELECT 1").all();
     host.processes.isAlive(host.processes.self());
     await host.files.stat(args[0]);
     const unwanted = ["net", "child_process", "tty", "crypto"].map((name) => "NativeModule " + name);
     const loaded = process.moduleLoadList.filter((name) => !before.has(name) && unwanted.includes(name));
     console.log(JSON.stringify([...loaded, readFileSync("/proc/self/maps", "utf8").includes("koffi")]));`,
    directory.join("db"),
  );
  expect(await script.line()).toBe("[false]");
});
