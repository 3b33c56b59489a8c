import { type FsData, fsAddFailure, hangUpInTime } from "@silkvm/virtiofs";
import { addDevice, type Pluggable } from "./hot-plug.ts";
import type { Machine } from "./machine.ts";
import { QmpError, QmpTimeoutError } from "./qmp/errors.ts";

/** How long QEMU and a virtiofsd may take to come to terms, and how long QEMU to say that it was hung up on. */
const agreeMs = 10_000;
const resignMs = 3_000;

/** Shared directories. */
export function fsPlug(machine: Machine): Pluggable<FsData> {
  return {
    async add(monitor, vm, { id, data, port }, options) {
      const chardev = chardevOf(id);
      const addr = { type: "unix", data: { path: data.socket } };
      const backend = { type: "socket", data: { addr, server: false } };
      const answered = new AbortController();
      const watching = hangUpInTime(machine, data, { agreeMs, resignMs, signal: answered.signal });
      try {
        await monitor.execute("chardev-add", { id: chardev, backend }, options);
        await addDevice(
          monitor,
          {
            driver: "vhost-user-fs-pci",
            id,
            chardev,
            tag: data.tag,
            "queue-size": data.queueSize,
            "num-request-queues": data.numQueues,
            bus: port,
          },
          { ...options, timeoutMs: agreeMs + (data.dir === undefined ? 0 : resignMs) },
        );
      } catch (error) {
        const timedOut = error instanceof QmpTimeoutError;
        if (!timedOut && !(error instanceof QmpError)) throw error;
        const said = timedOut ? "QEMU does not answer" : error.message;
        const place = { host: machine.host, paths: machine.paths(vm) };
        throw await fsAddFailure(place, vm, data, { said, timedOut, cause: error });
      } finally {
        answered.abort();
        await watching;
      }
    },
    afterwards: async (_monitor, id) => [
      { command: "chardev-remove", args: { id: chardevOf(id) } },
    ],
  };
}

function chardevOf(id: string): string {
  return `chardev-${id}`;
}
