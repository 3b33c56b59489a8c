import { execFileSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import type { SpawnedProcess, SpawnRequest } from "@silkvm/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { scriptArguments, startScript } from "../../../test/script.ts";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import { linuxProcesses } from "./processes.ts";

const processes = linuxProcesses();
const waitMs = 10_000;
let directory: ReturnType<typeof temporaryDirectory>;
let started: SpawnedProcess[];

beforeEach(() => {
  directory = temporaryDirectory();
  started = [];
});

afterEach(async () => {
  await Promise.all(started.map(({ identity }) => processes.signal(identity, "SIGKILL")));
  directory[Symbol.dispose]();
});

async function spawn(
  request: Partial<SpawnRequest> & Pick<SpawnRequest, "command" | "args">,
): Promise<SpawnedProcess> {
  const spawned = await processes.spawn({ logPath: directory.join("log"), ...request });
  started.push(spawned);
  return spawned;
}

/** The end of a shell's command, and what it printed. */
async function runShell(
  script: string,
  request: Partial<SpawnRequest> = {},
): Promise<{ spawned: SpawnedProcess; log: string }> {
  const spawned = await spawn({ command: "sh", args: ["-c", script], ...request });
  expect(await processes.waitForExit(spawned.identity, { timeoutMs: waitMs })).toBe(true);
  return { spawned, log: readFileSync(directory.join("log"), "utf8") };
}

test("a process that was started is alive under its identity, in a session of its own", async () => {
  const { identity, exit } = await spawn({ command: "sleep", args: ["60"] });
  expect(processes.isAlive(identity)).toBe(true);
  expect(exit).toBeUndefined();
  const [, , , , group, session] = readFileSync(`/proc/${identity.pid}/stat`, "latin1")
    .split(" ")
    .map(Number);
  expect([group, session]).toEqual([identity.pid, identity.pid]);
});

test("output of both kinds goes to the end of the log, which only its owner may read", async () => {
  writeFileSync(directory.join("log"), "before\n", { mode: 0o600 });
  const { log } = await runShell("echo out; echo err >&2");
  expect(log).toBe("before\nout\nerr\n");
  await runShell("echo new", { logPath: directory.join("new") });
  expect(statSync(directory.join("new")).mode & 0o777).toBe(0o600);
});

test("an early end is told with its exit code or signal once it was waited for", async () => {
  expect((await runShell("exit 7")).spawned.exit).toEqual({ exitCode: 7, signal: undefined });
  expect((await runShell("kill -KILL $$")).spawned.exit).toEqual({
    exitCode: undefined,
    signal: "SIGKILL",
  });
});

test("a process that has ended before anybody looks still has its identity", async () => {
  const { identity } = await spawn({ command: "true", args: [] });
  expect(identity.startTime).toBeGreaterThan(0);
  expect(await processes.waitForExit(identity, { timeoutMs: waitMs })).toBe(true);
});

test("it gets its environment, its directory and empty input", async () => {
  const { log } = await runShell('echo "$ADDED $PWD"; cat', {
    env: { ADDED: "yes" },
    cwd: directory.path,
  });
  expect(log).toBe(`yes ${directory.path}\n`);
});

test("it gets none of our descriptors, nor of those that we were started with", async () => {
  const body = `
    const { processes } = sys.linuxHost();
    const list = { command: "sh", args: ["-c", "ls /proc/self/fd | xargs"], logPath: args[0] };
    const { identity } = await processes.spawn(list);
    await processes.waitForExit(identity, { timeoutMs: ${waitMs} });
    console.log((await processes.run(list)).stdout);`;
  const keepsTwo = ["-c", 'exec "$@" 7</dev/null 251</dev/null', "bash", process.execPath];
  const { stdout } = await processes.run({
    command: "bash",
    args: [...keepsTwo, ...scriptArguments(body, directory.join("log"))],
  });
  // 3 is the directory that ls itself reads. The tool beside it proves that there was something to pass on.
  expect(readFileSync(directory.join("log"), "utf8")).toBe("0 1 2 3\n");
  expect(stdout).toContain(" 251");
});

test("a program that is missing or cannot be executed, and a missing directory, are told apart", async () => {
  const file = directory.join("file");
  writeFileSync(file, "", { mode: 0o600 });
  await expect(spawn({ command: "no-such-program", args: [] })).rejects.toMatchObject({
    code: "ENOENT",
    syscall: "spawn no-such-program",
  });
  await expect(spawn({ command: file, args: [] })).rejects.toMatchObject({ code: "EACCES" });
  await expect(
    spawn({ command: "true", args: [], cwd: directory.join("gone") }),
  ).rejects.toMatchObject({ code: "ENOENT", syscall: "stat" });
  await expect(spawn({ command: "true", args: [], cwd: file })).rejects.toMatchObject({
    code: "ENOTDIR",
  });
  await expect(
    spawn({ command: "true", args: [], logPath: directory.join("gone/log") }),
  ).rejects.toMatchObject({ code: "ENOENT", syscall: "open" });
});

test("it outlives its maker, which does not wait for it", async () => {
  await using maker = startScript(
    `const { processes } = sys.linuxHost();
     const { identity } = await processes.spawn({ command: "sleep", args: ["60"], logPath: args[0] });
     console.log(JSON.stringify(identity));`,
    directory.join("log"),
  );
  const identity = JSON.parse((await maker.line()) ?? "") as SpawnedProcess["identity"];
  expect(await maker.line()).toBeUndefined();
  started.push({ identity, exit: undefined });
  expect(processes.isAlive(identity)).toBe(true);
});

test.skipIf(process.getuid?.() !== 0)(
  "it starts in the network namespace that was named, and this process stays in its own",
  async () => {
    const name = `silk-sys-${process.pid}`;
    const own = readFileSync("/proc/self/net/dev", "utf8").split("\n").length;
    execFileSync("ip", ["netns", "add", name]);
    try {
      const { log } = await runShell("ls /proc/self/net/dev && ip -o link | wc -l", {
        netnsPath: `/run/netns/${name}`,
      });
      expect(log).toBe("/proc/self/net/dev\n1\n");
      expect(readFileSync("/proc/self/net/dev", "utf8").split("\n").length).toBe(own);
      expect((await runShell("readlink /proc/self/ns/net")).log.split("\n").at(-2)).toBe(
        execFileSync("readlink", ["/proc/self/ns/net"], { encoding: "utf8" }).trim(),
      );
      await expect(
        spawn({ command: "no-such-program", args: [], netnsPath: `/run/netns/${name}` }),
      ).rejects.toMatchObject({ code: "ENOENT" });
    } finally {
      execFileSync("ip", ["netns", "delete", name]);
    }
    await expect(
      spawn({ command: "true", args: [], netnsPath: "/run/netns/gone" }),
    ).rejects.toMatchObject({ code: "ENOENT" });
    await expect(
      spawn({ command: "true", args: [], netnsPath: "/proc/self/ns/mnt" }),
    ).rejects.toMatchObject({ code: "EINVAL", syscall: "setns" });
  },
);
