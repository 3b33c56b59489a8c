import type { Socket } from "node:net";
import type { Host, VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";
import { QmpClient, type QmpCaller, type QmpCallOptions } from "./qmp/client.ts";
import { connectMonitor } from "./qmp/connect.ts";
import { QmpClosedError } from "./qmp/errors.ts";
import type { QmpEvent, QmpVersion } from "./qmp/messages.ts";

/** How long somebody else may have the monitor, of which QEMU lets only one user in at a time. */
const turnMs = 30_000;
const comeAgainMs = 20;

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
  let opened: Monitor | undefined;
  try {
    await host.effect("QMP connect", async () => {
      opened = await connectTo(host, path, options);
    });
    return opened as unknown as Monitor;
  } catch (error) {
    // A connection that nobody knows of would keep everybody else out.
    await opened?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** As {@link openMonitor}, without the gate. */
export async function connectTo(
  host: Host,
  path: string,
  { signal, timeoutMs = turnMs }: QmpCallOptions,
): Promise<Monitor> {
  const deadlineMs = host.clock.monotonicMs() + timeoutMs;
  const socket = await inTurn(host, path, { signal, deadlineMs });
  const leftMs = Math.max(1, deadlineMs - host.clock.monotonicMs());
  const { client, version } = await QmpClient.open(socket, { signal, timeoutMs: leftMs });
  return {
    version,
    waiting: client,
    execute: (command, args, options) =>
      host.effect(`QMP ${command}`, () => client.execute(command, args, options)),
    onEvent: (listener) => client.onEvent(listener),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

/** Few can wait for their turn at the socket itself: whoever finds that queue full comes again. */
async function inTurn(
  host: Host,
  path: string,
  { signal, deadlineMs }: { readonly signal: AbortSignal | undefined; readonly deadlineMs: number },
): Promise<Socket> {
  for (;;) {
    try {
      return await connectMonitor(path, signal);
    } catch (error) {
      const isFull = error instanceof QmpClosedError && error.code === "EAGAIN";
      if (!isFull || host.clock.monotonicMs() > deadlineMs) throw error;
      await host.clock.delay(comeAgainMs, { signal });
    }
  }
}
