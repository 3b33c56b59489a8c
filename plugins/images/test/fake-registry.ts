import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import type { Bed } from "./bed.ts";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

/** What a server does with a request; false lets the next one have it. */
export type Answer = (request: Asked, response: ServerResponse) => boolean | Promise<boolean>;

/** A server of this machine that answers as it is told. */
export async function startServer(
  bed: Bed,
  ...answers: Answer[]
): Promise<{ host: string; asked: Asked[]; server: Server }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const one: Asked = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
    };
    asked.push(one);
    void (async () => {
      for (const answer of answers) if (await answer(one, response)) return;
      response.writeHead(404).end();
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  bed.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { host: `127.0.0.1:${port}`, asked, server };
}

/** Serves the image of a layout as `acme/web:latest`, blobs by ranges. */
export function layoutAnswer(directory: string): Answer {
  const index = JSON.parse(readFileSync(join(directory, "index.json"), "utf8")) as {
    manifests: { digest: string; mediaType: string }[];
  };
  const [manifest] = index.manifests;
  const blob = (digest: string): Buffer | undefined => {
    try {
      return readFileSync(join(directory, "blobs/sha256", digest.replace("sha256:", "")));
    } catch {
      return undefined;
    }
  };
  return ({ path, headers }, response) => {
    const [, kind, name = ""] = /^\/v2\/acme\/web\/(manifests|blobs)\/([^?]+)/.exec(path) ?? [];
    const digest = name === "latest" ? (manifest?.digest ?? "") : name;
    const bytes = kind === undefined ? undefined : blob(digest);
    if (bytes === undefined) return false;
    sendRange(response, bytes, headers.range, {
      "content-type":
        kind === "manifests" ? (manifest?.mediaType ?? "") : "application/octet-stream",
    });
    return true;
  };
}

export function sendRange(
  response: ServerResponse,
  bytes: Buffer,
  range: string | undefined,
  headers: Record<string, string> = {},
): void {
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  if (start >= bytes.length && start > 0) {
    response.writeHead(416, { ...headers, "content-range": `bytes */${bytes.length}` }).end();
    return;
  }
  response.writeHead(start > 0 ? 206 : 200, {
    ...headers,
    "content-length": bytes.length - start,
    ...(start > 0 ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
  });
  response.end(bytes.subarray(start));
}
