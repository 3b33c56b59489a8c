import type { Host, VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";
import { QmpClient, type QmpCaller, type QmpCallOptions } from "./qmp/client.ts";
import { connectMonitor } from "./qmp/connect.ts";
import type { QmpEvent, QmpVersion } from "./qmp/messages.ts";

/** How long somebody else may have the monitor, of which QEMU lets only one user in at a time. */
const turnMs = 30_000;

/** A VM's monitor. Each command passes the host's gate, so that tests can fail it. */
export interface Monitor extends QmpCaller, AsyncDisposable {
  readonly version: QmpVersion;
  /** Without the gate: for a wait, which asks as often as it must and is one effect as a whole. */
  readonly waiting: QmpCaller;
  onEvent(listener: (event: QmpEvent) => void): Disposable;
}

/**
 * Opens the monitor of the VM's VMM.
 * @throws QmpClosedError where nobody serves it, QmpTimeoutError where somebody else has it for too long
 */
export async function openMonitor(
  { host, paths }: Pick<Machine, "host" | "paths">,
  vm: VmRecord,
  options: QmpCallOptions = {},
): Promise<Monitor> {
  const path = paths(vm).apiSocketPath;
  return await host.effect("QMP connect", async () => await connectTo(host, path, options));
}

/** As {@link openMonitor}, without the gate. */
export async function connectTo(
  host: Host,
  path: string,
  { signal, timeoutMs = turnMs }: QmpCallOptions,
): Promise<Monitor> {
  const socket = await connectMonitor(path, signal);
  const { client, version } = await QmpClient.open(socket, { signal, timeoutMs });
  return {
    version,
    waiting: client,
    execute: (command, args, options) =>
      host.effect(`QMP ${command}`, () => client.execute(command, args, options)),
    onEvent: (listener) => client.onEvent(listener),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}
