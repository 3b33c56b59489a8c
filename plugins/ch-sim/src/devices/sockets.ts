import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { fromNode, plainError, VmmError } from "../errors.ts";
import { quote } from "../json/content.ts";
import { log } from "../log.ts";
import { settings } from "../settings.ts";

const RETRY_MS = 100;

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

async function tryConnect(path: string): Promise<Socket> {
  const socket = connect(path);
  await once(socket, "connect");
  socket.on("error", () => socket.destroy());
  return socket;
}

/**
 * Connects to a vhost-user backend and keeps the connection, which is all that the backend sees of the simulated device. A
 * backend that is not there is tried again for a minute, during which the VMM answers nobody. Throws a VmmError.
 */
export async function connectVhostUser(path: string): Promise<Socket> {
  const deadline = performance.now() + settings().vhostUserConnectMs;
  for (;;) {
    try {
      return await tryConnect(path);
    } catch (error) {
      if (performance.now() >= deadline) throw vhostUserError(path, fromNode(error));
    }
    await delay(Math.min(RETRY_MS, Math.max(1, deadline - performance.now())));
  }
}

function vhostUserError(path: string, source: VmmError): VmmError {
  const detail = `(VhostUserProtocol(SocketConnect(${source.name}${source.detail ?? ""})))`;
  log(
    "vmm",
    "ERROR",
    "virtio-devices/src/vhost_user/vu_common_ctrl.rs:461",
    `Failed connecting the backend after trying for 1 minute for socket ${path}: ${detail.slice(1, -1)}`,
  );
  const peer = new VmmError(
    "VhostUserProtocol",
    `vhost-user: can't connect to peer: ${source.message}`,
    undefined,
    detail.slice(0, -1).replace("(VhostUserProtocol", ""),
  );
  return new VmmError("VhostUserConnect", "Connection to socket failed", peer);
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
