import { spawn } from "node:child_process";
import { closeSync, readdirSync } from "node:fs";
import { once } from "node:events";
import { expect, test } from "vitest";
import { startScript } from "../test/script.ts";
import { waitPidfd } from "./pidfd-wait.ts";
import { pidfdOpen, pidfdSendSignal } from "./pidfd.ts";

/** A sleeping process and a pidfd of it. */
function sleeper(): Disposable & { readonly fd: number; readonly ended: Promise<unknown[]> } {
  const child = spawn("sleep", ["60"]);
  const fd = pidfdOpen(child.pid ?? -1);
  return {
    fd,
    ended: once(child, "exit"),
    [Symbol.dispose]: () => {
      child.kill("SIGKILL");
      closeSync(fd);
    },
  };
}

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

test("a signal through a pidfd reaches its process, by name and by number", async () => {
  using byName = sleeper();
  using byNumber = sleeper();
  pidfdSendSignal(byName.fd, "SIGTERM");
  pidfdSendSignal(byNumber.fd, 9);
  expect(await byName.ended).toEqual([null, "SIGTERM"]);
  expect(await byNumber.ended).toEqual([null, "SIGKILL"]);
});

test("a signal to a process that is gone is ESRCH, and so is opening one that never was", async () => {
  using process = sleeper();
  pidfdSendSignal(process.fd, "SIGKILL");
  await process.ended;
  expect(() => pidfdSendSignal(process.fd, 0)).toThrow(
    expect.objectContaining({ code: "ESRCH", syscall: "pidfd_send_signal" }),
  );
  expect(() => pidfdOpen(2 ** 22 + 1)).toThrow(
    expect.objectContaining({ code: "ESRCH", syscall: "pidfd_open" }),
  );
});

test("waiting ends when the process ends, also for two waiters and after the descriptor is closed", async () => {
  const before = openDescriptors();
  const child = spawn("sleep", ["60"]);
  const ended = once(child, "exit");
  const fd = pidfdOpen(child.pid ?? -1);
  const waiting = [waitPidfd(fd), waitPidfd(fd, { timeoutMs: 30_000 })];
  pidfdSendSignal(fd, "SIGKILL");
  closeSync(fd);
  expect(await Promise.all(waiting)).toEqual([true, true]);
  await ended;
  expect(openDescriptors()).toBeLessThanOrEqual(before);
});

test("waiting for a process that has ended ends at once", async () => {
  using process = sleeper();
  pidfdSendSignal(process.fd, "SIGKILL");
  await process.ended;
  expect(await waitPidfd(process.fd, { timeoutMs: 0 })).toBe(true);
  expect(await waitPidfd(process.fd)).toBe(true);
});

test("a wait ends with false when its time is up, and leaves nothing open", async () => {
  using process = sleeper();
  const before = openDescriptors();
  const startMs = performance.now();
  expect(await waitPidfd(process.fd, { timeoutMs: 50 })).toBe(false);
  expect(performance.now() - startMs).toBeGreaterThan(45);
  expect(await waitPidfd(process.fd, { timeoutMs: 0 })).toBe(false);
  expect(openDescriptors()).toBe(before);
});

test("an abort ends the wait with the signal's own reason", async () => {
  using process = sleeper();
  const controller = new AbortController();
  const waiting = waitPidfd(process.fd, { signal: controller.signal });
  const reason = new Error("no more");
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(waitPidfd(process.fd, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test("waiting on something that is no open descriptor is EBADF", async () => {
  await expect(waitPidfd(2 ** 20)).rejects.toThrow(expect.objectContaining({ code: "EBADF" }));
});

test("a wait that is all that a program does ends with its process", async () => {
  await using script = startScript(`
    import { spawn } from "node:child_process";
    const child = spawn("sleep", ["1"], { detached: true, stdio: "ignore" });
    child.unref();
    const fd = sys.pidfdOpen(child.pid);
    console.log(await sys.waitPidfd(fd));`);
  expect(await script.line()).toBe("true");
});
