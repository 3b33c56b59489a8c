import {
  type ChClient,
  type ChTransport,
  createChClient,
  socketTransport,
} from "@silkvm/ch-client";
import type { VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";

/** A client of the VM's VMM each of whose requests passes the host's gate, so that tests can fail it. */
export function openClient({ host, paths }: Machine, vm: VmRecord): ChClient {
  const socketPath = paths(vm).apiSocketPath;
  const inner = socketTransport(socketPath);
  const transport: ChTransport = (request) =>
    host.effect(`${request.method} ${request.path.replace("/api/v1/", "")}`, () => inner(request));
  return createChClient({ socketPath, transport });
}

/** A client whose requests do not pass the gate one by one: for a wait, which asks as often as it must and is one effect as a whole. */
export function openWaitingClient({ paths }: Machine, vm: VmRecord): ChClient {
  const socketPath = paths(vm).apiSocketPath;
  return createChClient({ socketPath, transport: socketTransport(socketPath) });
}
