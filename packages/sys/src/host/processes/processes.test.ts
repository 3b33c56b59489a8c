import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync, chmodSync, mkdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { ProcessIdentity } from "@silkvm/core";
import { afterEach, expect, test } from "vitest";
import { startScript } from "../../../test/script.ts";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import { tryLockRange } from "../../lock-range.ts";
import { linuxProcesses } from "./processes.ts";

const processes = linuxProcesses();
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A sleeping process that is not known to the host as its own. */
function sleeper(seconds = "60"): ProcessIdentity {
  const child = spawn("sleep", [seconds]);
  cleanups.push(() => child.kill("SIGKILL"));
  const identity = processes.identify(child.pid ?? -1);
  if (identity === undefined) throw new Error("the process is not there");
  return identity;
}

test("this process is alive and knows itself", () => {
  const own = processes.self();
  expect(own.pid).toBe(process.pid);
  expect(processes.isAlive(own)).toBe(true);
  expect(processes.identify(process.pid)).toEqual(own);
});

test("the start time is that of the kernel's clock", () => {
  const { startTime } = sleeper();
  const uptimeTicks = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 100;
  expect(Math.abs(uptimeTicks - startTime)).toBeLessThan(500);
});

test("nobody is under a pid that is free or no pid at all", () => {
  for (const pid of [2 ** 22 + 1, 0, -1, 1.5, Number.NaN])
    expect(processes.identify(pid)).toBeUndefined();
});

test("the same pid with another start time or of another boot is dead, and no signal reaches it", async () => {
  const identity = sleeper();
  const others = [
    { ...identity, startTime: identity.startTime - 1 },
    { ...identity, bootId: "00000000-0000-0000-0000-000000000000" },
  ];
  for (const other of others) {
    expect(processes.isAlive(other)).toBe(false);
    expect(await processes.signal(other, "SIGKILL")).toBe(false);
    expect(await processes.waitForExit(other, { timeoutMs: 0 })).toBe(true);
  }
  expect(processes.isAlive(identity)).toBe(true);
});

test("a signal ends the process it is sent to, and is false once that is dead", async () => {
  const identity = sleeper();
  expect(await processes.waitForExit(identity, { timeoutMs: 20 })).toBe(false);
  expect(await processes.signal(identity, "SIGTERM")).toBe(true);
  expect(await processes.waitForExit(identity, { timeoutMs: 10_000 })).toBe(true);
  expect(processes.isAlive(identity)).toBe(false);
  expect(processes.identify(identity.pid)).toBeUndefined();
  expect(await processes.signal(identity, "SIGTERM")).toBe(false);
});

test.skipIf(process.getuid?.() !== 0)(
  "a process of another user cannot be signalled, and says so",
  async () => {
    const identity = sleeper();
    const source = `
    process.setuid(65534);
    const { processes } = sys.linuxHost();
    const identity = JSON.parse(args[0]);
    console.log(processes.isAlive(identity));
    await processes.signal(identity, "SIGKILL").catch((error) => console.log(error.code));`;
    await using script = startScript(
      `sys.pidfdOpen(process.pid);${source}`,
      JSON.stringify(identity),
    );
    expect([await script.line(), await script.line()]).toEqual(["true", "EPERM"]);
    expect(processes.isAlive(identity)).toBe(true);
  },
);

test("an abort ends the wait for a process", async () => {
  const identity = sleeper();
  const reason = new Error("no more");
  const signal = AbortSignal.abort(reason);
  await expect(processes.waitForExit(identity, { timeoutMs: 60_000, signal })).rejects.toBe(reason);
});

test("processes are found by their arguments, with the arguments as they were given", async () => {
  // Beside those of whoever else runs these tests on this machine.
  const seconds = `61.${process.pid}`;
  const identity = sleeper(seconds);
  const found = await processes.find((argv) => argv[1] === seconds);
  expect(found).toEqual([{ identity, argv: ["sleep", seconds] }]);
  // It stops itself by a command that needs no process of its own: a child would have these arguments, too, until it became another program.
  const empty = spawn("sh", ["-c", "kill -STOP $$", "name", "", "ä b\n"], { detached: true });
  cleanups.push(() => process.kill(-(empty.pid ?? 0), "SIGKILL"));
  await once(empty, "spawn");
  const withEmpty = await processes.find((argv) => argv.at(-1) === "ä b\n");
  expect(withEmpty.map(({ argv }) => argv)).toEqual([
    ["sh", "-c", "kill -STOP $$", "name", "", "ä b\n"],
  ]);
});

test("a program is found by its name, by its path, and not where it cannot be executed", async () => {
  using directory = temporaryDirectory();
  const program = directory.join("program");
  writeFileSync(program, "#!/bin/sh\n", { mode: 0o700 });
  mkdirSync(directory.join("directory"));
  expect(await processes.which("sh")).toMatch(/^\/.*\/sh$/);
  expect(await processes.which("mkfs.ext4")).toMatch(/sbin\/mkfs\.ext4$/);
  expect(await processes.which(program)).toBe(program);
  expect(await processes.which(directory.join("directory"))).toBeUndefined();
  expect(await processes.which("no-such-program-anywhere")).toBeUndefined();
  expect(await processes.which("")).toBeUndefined();
  const path = process.env["PATH"];
  process.env["PATH"] = `/nowhere:${dirname(program)}`;
  try {
    expect(await processes.which(basename(program))).toBe(program);
    chmodSync(program, 0o600);
    expect(await processes.which(basename(program))).toBeUndefined();
  } finally {
    process.env["PATH"] = path;
  }
});

test("whoever holds an OFD, a POSIX or a whole-file lock is found, this process left out", async () => {
  using directory = temporaryDirectory();
  const file = directory.join("file");
  writeFileSync(file, "");
  const own = openSync(file, "r+");
  expect(tryLockRange(own, { start: 100, length: 1, exclusive: true })).toBe(true);
  expect(await processes.lockHolders(file)).toEqual([]);
  await using ofd = startScript(
    `import { openSync } from "node:fs";
     const fd = openSync(args[0], "r+");
     console.log(sys.tryLockRange(fd, { start: 0, length: 1, exclusive: true }));
     setInterval(() => {}, 1000);`,
    file,
  );
  expect(await ofd.line()).toBe("true");
  const python = [
    "fcntl.lockf(f, fcntl.LOCK_EX, 1, 7)",
    "fcntl.flock(f, fcntl.LOCK_SH)",
    "None",
  ].map((call) => {
    const code = `import fcntl,sys,time\nf=open(sys.argv[1],'r+')\n${call}\nprint(flush=True)\ntime.sleep(60)`;
    const child = spawn("python3", ["-c", code, file], { stdio: ["ignore", "pipe", "inherit"] });
    cleanups.push(() => child.kill("SIGKILL"));
    return child;
  });
  await Promise.all(python.map((child) => once(child.stdout, "data")));
  const holders = await processes.lockHolders(file);
  expect(new Set(holders.map(({ identity }) => identity.pid))).toEqual(
    new Set([ofd.child.pid, python[0]?.pid, python[1]?.pid]),
  );
  expect(holders.every(({ argv }) => argv.includes(file))).toBe(true);
  expect(await processes.lockHolders(directory.join("missing"))).toEqual([]);
  closeSync(own);
});

test("openers are the other processes that have one of the files open, each once", async () => {
  using directory = temporaryDirectory();
  const [first, second] = [directory.join("first"), directory.join("second")];
  for (const file of [first, second]) writeFileSync(file, "");
  const own = openSync(first, "r");
  expect(await processes.openers([first, second])).toEqual([]);
  await using other = startScript(
    `import { openSync } from "node:fs";
     openSync(args[0], "r"); openSync(args[0], "r+");
     console.log("open");
     setInterval(() => {}, 1000);`,
    second,
  );
  expect(await other.line()).toBe("open");
  const found = await processes.openers([first, second, directory.join("missing")]);
  expect(found.map(({ path, process }) => [path, process.identity.pid])).toEqual([
    [second, other.child.pid],
  ]);
  expect(await processes.openers([])).toEqual([]);
  closeSync(own);
});
