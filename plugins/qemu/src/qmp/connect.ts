import { connect, type Socket } from "node:net";
import { QmpClosedError } from "./errors.ts";

/** Connects to the socket of a monitor. @throws QmpClosedError with the errno */
export async function connectMonitor(path: string, signal?: AbortSignal): Promise<Socket> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ path });
  const onAbort = (): void => reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  socket.once("connect", resolve);
  socket.once("error", (cause: NodeJS.ErrnoException) =>
    reject(new QmpClosedError(`${path}: ${cause.message}`, { code: cause.code, cause })),
  );
  try {
    await promise;
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
