import { createConnection, type Socket } from "node:net";

/** What one request was answered with. */
export interface Reply {
  readonly status: number;
  readonly statusLine: string;
  /** Names and values in the order in which they came. */
  readonly headers: ReadonlyArray<readonly [string, string]>;
  readonly body: string;
}

/** Why there is no answer: nobody listens, or the connection ended without one. */
export type NoReply = "refused" | "empty";

/** Opens a connection. Rejects where nobody listens. */
export async function connect(path: string): Promise<Socket> {
  const socket = createConnection(path);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  socket.removeAllListeners("error");
  return socket;
}

/** Makes one request over a connection of its own, as curl does. */
export async function request(
  path: string,
  call: { readonly method: string; readonly path: string; readonly body: string | null },
): Promise<Reply | NoReply> {
  let socket: Socket;
  try {
    socket = await connect(path);
  } catch {
    return "refused";
  }
  const body = call.body ?? "";
  const head = [`${call.method} ${call.path} HTTP/1.1`, "Host: localhost", "Accept: */*"];
  if (call.body !== null) {
    head.push("Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`);
  }
  const reply = readReply(socket);
  socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  return await reply;
}

async function readReply(socket: Socket): Promise<Reply | NoReply> {
  let received = Buffer.alloc(0);
  return await new Promise((resolve) => {
    const end = (): void => {
      resolve(parseReply(received) ?? "empty");
      socket.destroy();
    };
    socket.on("data", (data) => {
      received = Buffer.concat([received, data]);
      const reply = parseReply(received);
      if (reply !== undefined) end();
    });
    socket.once("error", end);
    socket.once("close", end);
  });
}

/** Takes an answer apart; undefined while it is not complete. */
export function parseReply(received: Buffer): Reply | undefined {
  const end = received.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const [statusLine = "", ...lines] = received.subarray(0, end).toString("latin1").split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const length = Number(
    headers.find(([name]) => name.toLowerCase() === "content-length")?.[1] ?? 0,
  );
  const body = received.subarray(end + 4);
  if (body.length < length) return undefined;
  return {
    status: Number(statusLine.split(" ")[1]),
    statusLine,
    headers,
    body: body.subarray(0, length).toString(),
  };
}
