import type { Host, ProcessIdentity } from "@silkvm/core";

/** After so long a device that does not wait for its guest is taken for a busy one. */
const settleMs = 500;
const lookAgainMs = 5;
/** The VMM's thread that makes those of the devices, when the guest first uses one. */
const makerName = "vmm";

/** A guest that boots may bring up one device after the other. */
const looksInARow = 2;

/**
 * Waits until the devices of a VMM have noticed that the guest was resumed, or that they were made. The VMM does not wait for their threads: one that is paused
 * before it has come to run sleeps on, and the VMM, which waits for it, never answers again.
 */
export async function settleDevices(host: Host, { pid }: ProcessIdentity): Promise<void> {
  const deadlineMs = host.clock.monotonicMs() + settleMs;
  for (let settled = 0; ;) {
    settled = (await areSettled(host, pid)) ? settled + 1 : 0;
    if (settled === looksInARow || host.clock.monotonicMs() >= deadlineMs) return;
    await host.clock.delay(lookAgainMs);
  }
}

/**
 * The threads of devices have names that begin with an underscore; one that has just been made still has the name of the thread that makes them. One that waits for
 * its guest polls; one that is paused waits on a futex; one that has not come to run yet waits for nothing.
 */
async function areSettled(host: Host, pid: number): Promise<boolean> {
  const tasks = `/proc/${pid}/task`;
  for (const tid of await host.files.list(tasks)) {
    const [name, waitsIn] = await Promise.all([
      read(host, `${tasks}/${tid}/comm`),
      read(host, `${tasks}/${tid}/wchan`),
    ]);
    if ((name.startsWith("_") || name.trim() === makerName) && !waitsIn.includes("poll"))
      return false;
  }
  return true;
}

/** Threads end while they are looked at. */
async function read(host: Host, path: string): Promise<string> {
  return await host.files.readText(path).catch(() => "");
}
