import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import {
  type ChClient,
  createChClient,
  isEvent,
  readEvents,
  type VmConfig,
  vmmArgs,
  waitForApi,
} from "@silkvm/ch-client";

/** A VMM of its own with one VM, which ends at the end of an `await using`. */
export interface Machine extends AsyncDisposable {
  readonly ch: ChClient;
  /** Adds a disk while the guest runs. */
  addDisk(id: string, path: string): Promise<void>;
  /** Takes it away: resolves when the guest has let go of it. */
  removeDisk(id: string, signal: AbortSignal): Promise<void>;
}

export interface MachineOptions {
  /** `cloud-hypervisor`, and what comes before its own arguments. */
  readonly command: readonly [program: string, ...args: string[]];
  /** For its socket, its log and its events. */
  readonly directory: string;
  readonly vm: VmConfig;
  readonly signal: AbortSignal;
}

/** Starts a VMM, and a VM in it. */
export async function startMachine({
  command: [program, ...before],
  directory,
  vm,
  signal,
}: MachineOptions): Promise<Machine> {
  const socketPath = join(directory, "api.sock");
  const eventsPath = join(directory, "events.json");
  const args = vmmArgs({
    apiSocket: socketPath,
    eventMonitor: eventsPath,
    logFile: join(directory, "vmm.log"),
  });
  const vmm = spawn(program, [...before, ...args], { stdio: "ignore" });
  const exit = exitOf(vmm);
  const ch = createChClient({ socketPath });
  try {
    // A process that has ended is noticed at once, and not at the end of a time-out.
    await waitForApi(ch, { signal, isAlive: () => vmm.exitCode === null });
    await ch.vm.create(vm, { signal });
    await ch.vm.boot({ signal });
  } catch (error) {
    await end();
    throw error;
  }

  async function end(): Promise<void> {
    // An answer is no proof that it has ended, nor is none: the process is.
    await ch.vmm.shutdown({ timeoutMs: 5_000 }).catch(() => undefined);
    const late = setTimeout(() => vmm.kill("SIGKILL"), 5_000);
    await exit;
    clearTimeout(late);
    await ch[Symbol.asyncDispose]();
  }

  return {
    ch,
    addDisk: async (id, path) => {
      await ch.vm.addDisk({ id, path, image_type: "Raw", readonly: true });
    },
    removeDisk: async (id, abort) => {
      // Removing a device is asking the guest; that it is gone is an event. An id is used once, so it does not matter where the reading starts.
      const events = readEvents(eventsPath, { signal: abort });
      const gone = (async () => {
        for await (const event of events)
          if (isEvent(event, "vm", "device-removed") && event.properties.id === id) return;
      })();
      await Promise.all([gone, ch.vm.removeDevice({ id }, { signal: abort })]);
    },
    [Symbol.asyncDispose]: end,
  };
}

async function exitOf(vmm: ChildProcess): Promise<void> {
  // A program that is not there has no exit, but an error; who waits for its API is told.
  await once(vmm, "exit").catch(() => undefined);
}
