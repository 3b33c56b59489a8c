import { request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Answer, GuestRequest } from "./protocol.ts";

const port = 80;
const againMs = 200;
/** How long a guest may take to let itself be connected to: one that is not there yet says nothing at all. */
const connectMs = 2_000;

/** Has the web server in a guest run a script; one that is not there yet is tried again until the deadline. */
export async function askGuest({
  address,
  script,
  timeoutMs,
}: GuestRequest): Promise<Omit<Answer, "id">> {
  const deadline = performance.now() + timeoutMs;
  let last = "";
  while (performance.now() < deadline) {
    const answer = await post(address, script, deadline - performance.now());
    if (!(answer instanceof Error)) return answer;
    last = answer.message;
    if (!(answer instanceof NotConnected)) break;
    await pause(againMs);
  }
  return { code: 127, stdout: "", stderr: `${address}: ${last}`, timedOut: false };
}

/** Nothing was asked yet, so that it can be asked again. */
class NotConnected extends Error {}

function post(
  address: string,
  script: string,
  timeoutMs: number,
): Promise<Omit<Answer, "id"> | Error> {
  const { promise, resolve } = Promise.withResolvers<Omit<Answer, "id"> | Error>();
  let connected = false;
  const fail = (error: Error): void => {
    sent.destroy();
    clearTimeout(timer);
    resolve(connected ? error : new NotConnected(error.message));
  };
  const timer = setTimeout(() => fail(new Error("no answer in time")), timeoutMs);
  const headers = { "Content-Length": Buffer.byteLength(script) };
  const path = "/cgi-bin/sh";
  const sent = request({ host: address, port, path, method: "POST", headers, agent: false });
  const connecting = setTimeout(() => fail(new Error("no connection")), connectMs);
  sent.on("socket", (socket) =>
    socket.once("connect", () => {
      connected = true;
      clearTimeout(connecting);
    }),
  );
  sent.on("error", fail).on("response", (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => (text += chunk)).on("error", fail);
    response.on("end", () => {
      clearTimeout(timer);
      // The script's own status is the last line.
      const at = text.lastIndexOf("\n");
      const code = Number.parseInt(text.slice(at + 1), 10);
      if (Number.isNaN(code)) fail(new Error(`it says ${JSON.stringify(text)}`));
      else resolve({ code, stdout: text.slice(0, at), stderr: "", timedOut: false });
    });
  });
  sent.end(script);
  return promise;
}
