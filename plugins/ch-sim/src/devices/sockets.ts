import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";

import { fromNode, plainError, VmmError } from "../errors.ts";
import { quote } from "../json/content.ts";

/** Binds a socket that nobody has to speak to. Throws Node's error. */
export async function listenOn(path: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.resume();
  });
  // Node takes a missing directory for a lack of permission.
  statSync(dirname(path));
  server.listen(path);
  await once(server, "listening");
  return server;
}

/** Connects once. Throws Node's error. */
export async function tryConnect(path: string): Promise<Socket> {
  const socket = connect(path);
  await once(socket, "connect");
  socket.on("error", () => socket.destroy());
  return socket;
}

/** Connects to a TPM's emulator, and keeps the connection. Throws a VmmError. */
export async function connectTpm(path: string): Promise<Socket> {
  const fail = (reason: string): VmmError => {
    const message = `Failed to create TPM Device : Init(Failed while initializing tpm Emulator: InitializeEmulator(${reason}))`;
    return new VmmError("CreateTpmDevice", "Cannot create tmp device", plainError(message));
  };
  if (!existsSync(path)) throw fail(`The input TPM Socket path: ${quote(path)} does not exist`);
  try {
    return await tryConnect(path);
  } catch (error) {
    const { name, detail } = fromNode(error);
    const reason = `Failed to connect to tpm Socket. Error: ${name}${detail ?? ""}`;
    throw fail(`Failed while initializing tpm emulator: ConnectToSocket(${reason})`);
  }
}

/** Connects to a vfio-user server. Throws Node's error. */
export async function connectOnce(path: string): Promise<Socket> {
  return tryConnect(path);
}
