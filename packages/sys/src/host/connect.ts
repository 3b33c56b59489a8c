import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import type { CallOptions } from "@silkvm/core";

/** Connects to a Unix socket. The signal ends the attempt, not the connection. */
export async function connect(path: string, { signal }: CallOptions = {}): Promise<Socket> {
  signal?.throwIfAborted();
  const socket = connectSocket({ path });
  try {
    await once(socket, "connect", signal === undefined ? {} : { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    signal?.throwIfAborted();
    throw error;
  }
}
