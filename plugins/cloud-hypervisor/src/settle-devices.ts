import type { Host, ProcessIdentity } from "@silkvm/core";

/** After so long a device that does not wait for its guest is taken for a busy one. */
const settleMs = 500;
const lookAgainMs = 5;

/**
 * Waits until the devices of a VMM have noticed that the guest was resumed. The VMM resumes them without waiting for them: one that is paused again before its
 * thread has come to run sleeps on, and the VMM, which waits for it, never answers again.
 */
export async function settleDevices(host: Host, { pid }: ProcessIdentity): Promise<void> {
  const deadlineMs = host.clock.monotonicMs() + settleMs;
  while (!(await areSettled(host, pid)) && host.clock.monotonicMs() < deadlineMs)
    await host.clock.delay(lookAgainMs);
}

/** The threads of devices have names that begin with an underscore. One that waits for its guest polls; one that is paused waits on a futex. */
async function areSettled(host: Host, pid: number): Promise<boolean> {
  const tasks = `/proc/${pid}/task`;
  for (const tid of await host.files.list(tasks)) {
    const [name, waitsIn] = await Promise.all([
      read(host, `${tasks}/${tid}/comm`),
      read(host, `${tasks}/${tid}/wchan`),
    ]);
    if (name.startsWith("_") && !waitsIn.includes("poll")) return false;
  }
  return true;
}

/** Threads end while they are looked at. */
async function read(host: Host, path: string): Promise<string> {
  return await host.files.readText(path).catch(() => "");
}
