import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { fromNode, VmmError } from "../errors.ts";
import { log } from "../log.ts";
import { settings } from "../settings.ts";
import { tryConnect } from "./sockets.ts";

const RETRY_MS = 100;

/** Requests of the protocol, by their numbers. */
const request = {
  getFeatures: 1,
  setOwner: 3,
  getProtocolFeatures: 15,
  setProtocolFeatures: 16,
  getQueueNum: 17,
} as const;
const HEADER_BYTES = 12;
const REPLY_BYTES = HEADER_BYTES + 8;
const VERSION = 1;
const PROTOCOL_FEATURES = 1n << 30n;
const MULTIPLE_QUEUES = 1n;
/** What a backend has that does not tell. */
const DEFAULT_QUEUES = 2n;

/**
 * Connects to a vhost-user backend, comes to terms with it, and keeps the connection. A backend that is not there is tried again for a minute, and one
 * that does not answer is waited for as long as it keeps the connection; meanwhile the VMM answers nobody. Throws a VmmError.
 * @param queues how many the device needs, where the VMM asks for that
 */
export async function connectVhostUser(path: string, queues?: bigint): Promise<Socket> {
  const connection = await connect(path);
  try {
    await negotiate(connection, queues);
    return connection;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

async function connect(path: string): Promise<Socket> {
  const deadline = performance.now() + settings().vhostUserConnectMs;
  for (;;) {
    try {
      return await tryConnect(path);
    } catch (error) {
      if (performance.now() >= deadline) throw connectError(path, fromNode(error));
    }
    await delay(Math.min(RETRY_MS, Math.max(1, deadline - performance.now())));
  }
}

async function negotiate(connection: Socket, queues: bigint | undefined): Promise<void> {
  send(connection, request.setOwner);
  const features = await ask(
    connection,
    request.getFeatures,
    "VhostUserGetFeatures",
    "Get features failed",
  );
  if (queues === undefined) return;
  let backend = DEFAULT_QUEUES;
  if ((features & PROTOCOL_FEATURES) !== 0n) {
    const protocol = await ask(
      connection,
      request.getProtocolFeatures,
      "VhostUserGetProtocolFeatures",
      "Get protocol features failed",
    );
    send(connection, request.setProtocolFeatures, protocol & MULTIPLE_QUEUES);
    if ((protocol & MULTIPLE_QUEUES) !== 0n)
      backend = await ask(
        connection,
        request.getQueueNum,
        "VhostUserGetQueueMaxNum",
        "Get queue max number failed",
      );
  }
  if (queues > backend) throw new VmmError("BadQueueNum", "Queue number  is not correct");
}

function send(connection: Socket, number: number, value?: bigint): void {
  const message = Buffer.alloc(value === undefined ? HEADER_BYTES : REPLY_BYTES);
  message.writeUInt32LE(number);
  message.writeUInt32LE(VERSION, 4);
  message.writeUInt32LE(message.length - HEADER_BYTES, 8);
  if (value !== undefined) message.writeBigUInt64LE(value, HEADER_BYTES);
  connection.write(message);
}

/** The number that a backend answers a request with. */
async function ask(
  connection: Socket,
  number: number,
  name: string,
  message: string,
): Promise<bigint> {
  send(connection, number);
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const read = (): void => {
    const reply = connection.read(REPLY_BYTES) as Buffer | null;
    if (reply !== null) resolve(reply.length < REPLY_BYTES ? undefined : reply);
  };
  const end = (): void => resolve(undefined);
  connection.on("readable", read).once("end", end).once("close", end);
  read();
  const reply = await promise;
  connection.off("readable", read).off("end", end).off("close", end);
  if (reply !== undefined) return reply.readBigUInt64LE(HEADER_BYTES);
  const partial = new VmmError(
    "VhostUserProtocol",
    "vhost-user: partial message",
    undefined,
    "(PartialMessage)",
  );
  throw new VmmError(name, message, partial);
}

function connectError(path: string, source: VmmError): VmmError {
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
