import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { waitPidfd } from "../../pidfd-wait.ts";
import { pidfdOpen } from "../../pidfd.ts";
import { startScript } from "../../../test/script.ts";
import { isAlive } from "./identity.ts";
import { parseProcessStat, readProcessStat } from "./process-stat.ts";

const rest = "1 2 2 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 1 0 4711 8192 10 18446744073709551615";

test("a program's name may hold spaces, parentheses and what looks like fields", () => {
  expect(parseProcessStat(`12 (a) R 1 (b c) S ${rest}`)).toEqual({
    startTime: 4711,
    isDead: false,
  });
  expect(parseProcessStat(`12 (x\n) Z) S ${rest}`)).toEqual({ startTime: 4711, isDead: false });
});

test("a zombie is dead, and one that is being taken away", () => {
  expect(parseProcessStat(`12 (a) Z ${rest}`).isDead).toBe(true);
  expect(parseProcessStat(`12 (a) X ${rest}`).isDead).toBe(true);
  expect(parseProcessStat(`12 (a) D ${rest}`).isDead).toBe(false);
});

test("a pid that nobody has is undefined", () => {
  expect(readProcessStat(2 ** 22 + 1)).toBeUndefined();
});

test("a real zombie is dead while its pid is still taken", async () => {
  await using script = startScript(`
    import { spawn } from "node:child_process";
    const child = spawn("true");
    const fd = sys.pidfdOpen(child.pid);
    // Blocks the event loop, so that nobody collects the child.
    while (sys.linuxHost().processes.identify(child.pid) !== undefined);
    const { readFileSync } = await import("node:fs");
    console.log(readFileSync("/proc/" + child.pid + "/stat", "latin1").split(" ")[2]);`);
  expect(await script.line()).toBe("Z");
});

test("a process lives on although its first thread has ended", async () => {
  const code = `
import ctypes, sys, threading, time
threading.Thread(target=lambda: time.sleep(60)).start()
print(flush=True)
ctypes.CDLL(None).syscall(60, 0)`;
  const child = spawn("python3", ["-c", code], { stdio: ["ignore", "pipe", "inherit"] });
  const pid = child.pid ?? -1;
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const fd = pidfdOpen(pid);
  const startTime = readProcessStat(pid)?.startTime ?? -1;
  expect(await waitPidfd(fd, { timeoutMs: 200 })).toBe(false);
  expect(readProcessStat(pid)).toEqual({ startTime, isDead: false });
  child.kill("SIGKILL");
  expect(await waitPidfd(fd, { timeoutMs: 10_000 })).toBe(true);
  expect(readProcessStat(pid)?.isDead ?? true).toBe(true);
  expect(isAlive({ bootId: "", pid, startTime })).toBe(false);
});
