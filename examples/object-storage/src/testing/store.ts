import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { Bucket } from "../bucket.ts";
import { signRequest } from "../sign.ts";

const keys = { region: "here", accessKeyId: "us", secretAccessKey: "secret" };

/** As much of an object store as the example needs; it refuses what is not signed by its key. */
export interface Store extends AsyncDisposable {
  readonly bucket: Bucket;
  readonly objects: Map<string, Buffer>;
  /** Parts of uploads that are neither completed nor given up. */
  readonly uploads: Map<string, Buffer[]>;
  /** Called for each part before it is taken. */
  onPart: (number: number) => void | Promise<void>;
}

export async function openStore(): Promise<Store> {
  const objects = new Map<string, Buffer>();
  const uploads = new Map<string, Buffer[]>();
  const store: Pick<Store, "onPart"> = { onPart: () => {} };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const bucket: Bucket = { endpoint, name: "shelf", ...keys };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", endpoint);
    const method = request.method ?? "";
    const body = await buffer(request);
    if (request.headers.authorization !== expected(request, method, url)) {
      response.writeHead(403).end("<Error><Code>SignatureDoesNotMatch</Code></Error>");
      return;
    }
    const id = url.searchParams.get("uploadId");
    const parts = uploads.get(id ?? "");
    const at = (name: string): boolean => url.searchParams.has(name);
    if (method === "POST" && at("uploads")) {
      const uploadId = `upload ${uploads.size + 1}`;
      uploads.set(uploadId, []);
      response.end(`<R><UploadId>${uploadId}</UploadId></R>`);
    } else if (method === "PUT" && parts !== undefined) {
      const number = Number(url.searchParams.get("partNumber"));
      await store.onPart(number);
      parts[number - 1] = body;
      response.setHeader("etag", tagOf(body)).end();
    } else if (method === "POST" && parts !== undefined) {
      const tags = [...body.toString().matchAll(/<ETag>([^<]+)<\/ETag>/g)].map(([, tag]) => tag);
      const whole = parts.length === tags.length && parts.every((p, i) => tagOf(p) === tags[i]);
      if (whole) objects.set(url.pathname, Buffer.concat(parts));
      uploads.delete(id!);
      response.end(whole ? "<R/>" : "<Error><Code>InvalidPart</Code></Error>");
    } else if (method === "DELETE" && parts !== undefined) {
      uploads.delete(id!);
      response.writeHead(204).end();
    } else if (method === "GET" && objects.has(url.pathname)) {
      response.end(objects.get(url.pathname));
    } else response.writeHead(404).end("<Error><Code>NoSuchKey</Code></Error>");
  }

  function expected(request: IncomingMessage, method: string, url: URL): string {
    const time = String(request.headers["x-amz-date"]);
    const at = new Date(time.replace(/(....)(..)(..T..)(..)(..)Z/, "$1-$2-$3:$4:$5Z"));
    return signRequest(bucket, { method, url, at })["authorization"]!;
  }

  return Object.assign(store, {
    bucket,
    objects,
    uploads,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function tagOf(part: Buffer): string {
  return `"${createHash("md5").update(part).digest("hex")}"`;
}
