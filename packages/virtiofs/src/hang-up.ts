import { once } from "node:events";
import { createServer } from "node:net";
import type { Host } from "@silkvm/core";
import { endServer } from "./server-processes.ts";

/**
 * Ends silk's own virtiofsd behind a socket, and hangs up on whoever connects to it from then on: a VMM that finds nobody there would try for a
 * minute, and answer nothing else meanwhile. For backends.
 * @returns what to dispose of once nobody tries any more
 */
export async function hangUp(host: Host, socket: string): Promise<AsyncDisposable> {
  await endServer(host, socket);
  const server = createServer((client) => client.destroy());
  await host.effect(`listen ${socket}`, async () => {
    server.listen(socket);
    await once(server, "listening");
  });
  return server;
}
