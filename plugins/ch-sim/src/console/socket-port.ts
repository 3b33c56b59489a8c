import { once } from "node:events";
import { statSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { dirname } from "node:path";

import type { Port } from "./port.ts";

/** A serial port on a Unix socket. One client has it; the next one throws it out. Throws Node's error where binding fails. */
export async function openSocketPort(path: string): Promise<Port> {
  let client: Socket | undefined;
  let listener: (bytes: Buffer) => void = () => undefined;
  const server = createServer((socket) => {
    client?.destroy();
    client = socket;
    socket.on("data", (bytes: Buffer) => listener(bytes));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (client === socket) client = undefined;
    });
  });
  // Node takes a missing directory for a lack of permission.
  statSync(dirname(path));
  server.listen(path);
  await once(server, "listening");
  return {
    write: (bytes) => client?.write(bytes),
    onInput: (heard) => {
      listener = heard;
    },
    close: () => {
      client?.destroy();
      server.close();
    },
  };
}
