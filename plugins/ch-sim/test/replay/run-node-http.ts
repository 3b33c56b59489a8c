import { Agent, type IncomingMessage, request } from "node:http";

import { normalJson } from "./normalize.ts";
import { toReplay } from "./paths.ts";
import type { NodeHttpRow } from "./rows.ts";
import { differ, type Outcome, outcome, type World } from "./world.ts";

interface Answer {
  readonly reused: boolean;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: string;
  readonly error?: string;
}

/** Makes requests with Node's client, at the same time where the recording says so, and compares what came of them. */
export async function runNodeHttp(world: World, rows: readonly NodeHttpRow[]): Promise<Outcome[]> {
  const path = world.socketOf(world.lastCall?.row.vmm ?? "");
  const [first] = rows;
  if (first === undefined) return [];
  if (!first.reused || world.agent === undefined) {
    world.agent = new Agent({ keepAlive: true, maxSockets: rows.length > 1 ? 20 : 1 });
    world.agents.push(world.agent);
  }
  const { agent } = world;
  const answers = await Promise.all(
    rows.map((row) =>
      ask(path, row, /Connection: close/i.test(row.sentHeaders) ? new Agent() : agent),
    ),
  );
  const order = [...answers].sort((a, b) => Number(isRefused(b)) - Number(isRefused(a)));
  // Which of several requests is refused is chance; how many are is not.
  return rows.map((row, index) =>
    outcome(compare(row, rows.length > 1 ? order[index] : answers[index])),
  );
}

async function ask(path: string, row: NodeHttpRow, agent: Agent): Promise<Answer> {
  const [line = "", ...lines] = row.sentHeaders.trimEnd().split("\r\n");
  const [method, target] = line.split(" ");
  const given = lines.map((text) => text.split(": ", 2) as [string, string]);
  const length = Number(given.find(([name]) => name === "Content-Length")?.[1] ?? 0);
  const chunked = given.some(([name]) => name === "Transfer-Encoding");
  const headers = Object.fromEntries(
    given.filter(
      ([name]) => !["Host", "Connection", "Content-Length", "Transfer-Encoding"].includes(name),
    ),
  );
  return await new Promise((resolve) => {
    const call = request({
      socketPath: path,
      method,
      path: toReplay(target ?? "/"),
      headers,
      agent,
    });
    call.once("error", (error: NodeJS.ErrnoException) =>
      resolve({ reused: call.reusedSocket, error: error.code ?? error.message }),
    );
    call.once("response", (response: IncomingMessage) => {
      let body = "";
      response.on("data", (data: Buffer) => (body += data.toString()));
      response.on("end", () =>
        resolve({
          reused: call.reusedSocket,
          status: response.statusCode ?? 0,
          headers: response.headers,
          body,
        }),
      );
    });
    if (chunked) call.write("{}");
    call.end(length > 0 ? "{}".padEnd(length) : undefined);
  });
}

function isRefused(answer: Answer): boolean {
  return answer.error !== undefined || answer.status === 503;
}

function compare(row: NodeHttpRow, answer: Answer | undefined): string[] {
  if (answer === undefined) return ["no answer"];
  const refused = isRefused(answer);
  if (row.error !== undefined || refused) {
    // A connection too many ends as it is refused: whether that is told or felt is a race.
    return differ("refused", row.error !== undefined, refused);
  }
  const headersOf = (headers: Readonly<Record<string, unknown>> | undefined): string =>
    JSON.stringify({
      ...headers,
      "content-length": headers?.["content-length"] === undefined ? "none" : "some",
    });
  return [
    ...differ("status", row.status, answer.status),
    ...differ("headers", headersOf(row.headers), headersOf(answer.headers)),
    ...differ("body", normalJson(row.body ?? ""), normalJson(answer.body ?? "")),
    ...differ("connection reused", row.reused, answer.reused),
  ];
}
