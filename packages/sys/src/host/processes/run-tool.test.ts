import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { scriptArguments } from "../../../test/script.ts";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import { linuxProcesses } from "./processes.ts";
import { runTool } from "./run-tool.ts";

const shell = (script: string): { command: string; args: string[] } => ({
  command: "sh",
  args: ["-c", script],
});

/** A script that may open no more than 64 files. */
const limited = (body: string): { command: string; args: string[] } => ({
  command: "sh",
  args: ["-c", 'ulimit -n 64; exec "$@"', "sh", process.execPath, ...scriptArguments(body)],
});

test("output and exit code are what the program gave, in the C locale", async () => {
  expect(await runTool(shell("echo out; echo err >&2; exit 3"))).toEqual({
    exitCode: 3,
    stdout: "out\n",
    stderr: "err\n",
  });
  expect((await runTool({ command: "cat", args: ["/nonexistent"] })).stderr).toBe(
    "cat: /nonexistent: No such file or directory\n",
  );
  expect((await runTool(shell('echo "$LC_ALL"'))).stdout).toBe("C\n");
});

test("no shell stands in between", async () => {
  const args = ["%s|", "a b", "$HOME", "*", "", "ä"];
  expect((await runTool({ command: "printf", args })).stdout).toBe("a b|$HOME|*||ä|");
});

test("input goes to the program, which may leave it unread", async () => {
  const input = "ä".repeat(500_000);
  expect((await runTool({ command: "cat", args: [], input })).stdout).toBe(input);
  expect(await runTool({ command: "true", args: [], input })).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: "",
  });
  expect((await runTool({ command: "cat", args: [] })).stdout).toBe("");
});

test("a program that a signal ended has the exit code of a shell", async () => {
  expect((await runTool(shell("kill -SEGV $$"))).exitCode).toBe(139);
});

test("a missing program is ENOENT, one that cannot be executed EACCES", async () => {
  await expect(runTool({ command: "no-such-program", args: [] })).rejects.toMatchObject({
    code: "ENOENT",
  });
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "", { mode: 0o600 });
  await expect(runTool({ command: directory.join("file"), args: [] })).rejects.toMatchObject({
    code: "EACCES",
  });
});

test("a time-out is ETIMEDOUT, and ends the program and what it had started", async () => {
  const startMs = performance.now();
  const request = { ...shell("sleep 71.25 & sleep 71.25"), timeoutMs: 100 };
  await expect(runTool(request)).rejects.toMatchObject({
    code: "ETIMEDOUT",
    message: "sh did not end within 100 ms",
  });
  expect(performance.now() - startMs).toBeLessThan(30_000);
  const processes = linuxProcesses();
  for (const { identity } of await processes.find((argv) => argv[1] === "71.25"))
    expect(await processes.waitForExit(identity, { timeoutMs: 10_000 })).toBe(true);
});

test("a program that ignores SIGTERM is killed", async () => {
  const startMs = performance.now();
  const request = { ...shell("trap '' TERM; while :; do sleep 0.1; done"), timeoutMs: 100 };
  await expect(runTool(request)).rejects.toMatchObject({ code: "ETIMEDOUT" });
  expect(performance.now() - startMs).toBeLessThan(30_000);
});

test("an abort, before or during, rejects with the signal's own reason", async () => {
  const reason = new Error("no more");
  await expect(runTool({ ...shell("exit 0"), signal: AbortSignal.abort(reason) })).rejects.toBe(
    reason,
  );
  const controller = new AbortController();
  const running = runTool({ command: "sleep", args: ["60"], signal: controller.signal });
  setTimeout(() => controller.abort(reason), 50);
  await expect(running).rejects.toBe(reason);
});

test("a program that prints without end is stopped", async () => {
  await expect(runTool({ command: "yes", args: [] })).rejects.toMatchObject({
    code: "ERR_CHILD_PROCESS_STDIO_MAXBUFFER",
  });
});

test("a process without free descriptors is told so", async () => {
  const { command, args } = limited(`
    import { openSync } from "node:fs";
    const { processes } = sys.linuxHost();
    await processes.run({ command: "true", args: [] });
    try { for (;;) openSync("/dev/null", "r"); } catch {}
    process.stdout.write(await processes.run({ command: "true", args: [] }).catch((error) => error.code));`);
  expect((await runTool({ command, args })).stdout).toBe("EMFILE");
});
