import { existsSync, renameSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { once } from "node:events";

/** The answer to the VMM's question for features: the question's number, version 1 and "reply", eight bytes, none. */
const noFeatures = Buffer.from(`010000000500000008000000${"00".repeat(8)}`, "hex");

/** Backends of vhost-user devices, each of which takes one client and then no other, as the real ones do. */
export class VhostUserBackends {
  readonly #servers: Server[] = [];

  /** Listens at a path, unless somebody does. */
  async listen(path: string): Promise<void> {
    rmSync(path, { force: true });
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.write(noFeatures));
      server.close();
    });
    // The path stays when the server has stopped listening, so that a second client is refused.
    const temporary = `${path}.new`;
    server.listen(temporary);
    await once(server, "listening");
    if (existsSync(temporary)) renameSync(temporary, path);
    this.#servers.push(server);
  }

  /** Stops them all. */
  close(): void {
    for (const server of this.#servers) server.close();
  }
}
