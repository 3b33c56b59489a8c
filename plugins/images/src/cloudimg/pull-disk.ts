import { join } from "node:path";
import { type CallOptions, type Host, SilkError } from "@silkvm/core";
import { digestOf, hashFor, parseDigest } from "../digest.ts";
import { digestMismatch } from "../errors.ts";
import { readFile } from "../files/read-file.ts";
import { download } from "../http/download.ts";
import {
  type Http,
  type HttpResponse,
  retryAfterMs,
  statusMayPass,
  withoutQuery,
} from "../http/http.ts";
import type { ImageProgress } from "../progress.ts";
import { isLoopback } from "../reference.ts";
import type { Blobs } from "../store/blobs.ts";
import type { ImageRecord } from "../store/image-record.ts";
import { makeDisk } from "./make-disk.ts";
import { findSum } from "./sums.ts";

export interface DiskContext extends CallOptions {
  readonly host: Host;
  readonly http: Http;
  readonly blobs: Blobs;
  readonly unpackedBytes: number;
  readonly downloadBytes: number;
  readonly architecture: string;
  readonly onProgress: (progress: ImageProgress) => void;
  readonly warn: (message: string) => void;
}

export interface DiskPullRequest {
  readonly url: string;
  readonly ref: string;
  /** `sha256:…`, known from elsewhere. */
  readonly digest?: string | undefined;
  /** What is here by that name already. */
  readonly known: ImageRecord | undefined;
  /** Whether a server of another machine may be asked without encryption though nothing vouches for what it sends. */
  readonly plainHttp: boolean;
}

/**
 * Downloads a cloud image and makes it the disk that VMs begin with; one that is here already, as its publisher tells, is not downloaded again.
 * @returns the record; undefined where the known one is as good
 */
export async function pullDisk(
  context: DiskContext,
  request: DiskPullRequest,
): Promise<ImageRecord | undefined> {
  const { host, http, blobs, signal, onProgress } = context;
  const url = new URL(request.url);
  const authorization =
    url.username === ""
      ? undefined
      : `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString("base64")}`;
  url.username = "";
  url.password = "";
  url.hash = "";
  const what = withoutQuery(url.href);
  onProgress({ phase: "resolving", item: what });
  const sum =
    request.digest === undefined
      ? await findSum(http, url.href, authorization, { signal })
      : undefined;
  const digest = request.digest ?? sum?.digest;
  const isPlain = url.protocol === "http:" && !isLoopback(url.host) && !request.plainHttp;
  if (isPlain && request.digest === undefined)
    throw new SilkError(
      `${what} would be downloaded without encryption, and nothing vouches for it`,
      {
        code: "PLAIN_HTTP",
        kind: "denied",
        hint: "Name its checksum (--checksum sha256:…), use https, or allow it with --plain-http.",
      },
    );
  if (digest === undefined)
    context.warn(
      `the publisher of ${what} has no checksum beside it: what arrives cannot be checked`,
    );
  const { known } = request;
  const isHere = known?.disk !== undefined && (await blobs.has(known.disk.blobId));
  if (isHere && digest === known.digest) return undefined;

  await using _lock = await blobs.lock(`download ${url.href}`, { signal });
  const path = join(
    blobs.paths.downloadsDir,
    `url-${parseDigest(digestOf(Buffer.from(url.href))).hex}.partial`,
  );
  const notePath = `${path}.json`;
  const note = await readNote(host, notePath, path);
  let etag = note?.etag;
  let unchanged = false;
  const open = async (start: number): Promise<HttpResponse> => {
    const headers: Record<string, string> = { accept: "*/*" };
    // Without a validator, or a digest, two halves might be of two different images.
    if (start > 0 && (etag !== undefined || digest !== undefined)) {
      headers["range"] = `bytes=${start}-`;
      if (etag !== undefined && !etag.startsWith("W/")) headers["if-range"] = etag;
    } else if (start === 0 && isHere && known.etag !== undefined)
      headers["if-none-match"] = known.etag;
    const response = await http.once({ url: url.href, headers, authorization, signal });
    if ([200, 206, 416].includes(response.status)) return response;
    await response.body.dump().catch(() => undefined);
    if (response.status === 304) unchanged = true;
    throw statusError(host, what, response);
  };
  let actual: string;
  try {
    actual = await download(host, http, {
      path,
      what,
      open,
      digest,
      algorithm: digest === undefined ? "sha256" : parseDigest(digest).algorithm,
      mostBytes: context.downloadBytes,
      signal,
      onFresh: async ({ headers }) => {
        etag = typeof headers["etag"] === "string" ? headers["etag"] : undefined;
        await host.files.writeAtomic(notePath, JSON.stringify({ url: what, etag }), {
          mode: 0o600,
        });
      },
      onProgress: (doneBytes, totalBytes, verifying) =>
        onProgress({
          phase: verifying ? "verifying" : "downloading",
          item: what,
          doneBytes,
          totalBytes,
        }),
    });
  } catch (error) {
    if (!unchanged) throw error;
    await host.files.remove(path);
    return undefined;
  }
  const record = await diskRecord(context, {
    sourcePath: path,
    what,
    ref: request.ref,
    source: what,
    digest: actual,
    etag,
  });
  await host.files.remove(path);
  await host.files.remove(notePath);
  return record;
}

/** Makes a file of this machine the disk that VMs begin with. The file is not changed. */
export async function importDisk(
  context: DiskContext,
  request: {
    /** The file, which its digest is of. */
    readonly path: string;
    /** The same, or what was unpacked of it. */
    readonly diskPath: string;
    readonly ref: string;
    readonly source: string;
    readonly digest?: string | undefined;
  },
): Promise<ImageRecord> {
  const { host, signal, onProgress } = context;
  const { path, diskPath, digest } = request;
  const hash = hashFor(digest ?? `sha256:${"0".repeat(64)}`);
  let doneBytes = 0;
  const totalBytes = (await host.files.stat(path))?.sizeBytes;
  for await (const chunk of readFile(host, path, { signal })) {
    hash.update(chunk);
    doneBytes += chunk.length;
    onProgress({ phase: "verifying", item: request.source, doneBytes, totalBytes });
  }
  const actual = `${digest === undefined ? "sha256" : parseDigest(digest).algorithm}:${hash.digest("hex")}`;
  if (digest !== undefined && digest !== actual)
    throw digestMismatch(request.source, digest, actual);
  return await diskRecord(context, {
    sourcePath: diskPath,
    what: request.source,
    ref: request.ref,
    source: request.source,
    digest: actual,
    etag: undefined,
  });
}

async function diskRecord(
  context: DiskContext,
  from: {
    readonly sourcePath: string;
    readonly what: string;
    readonly ref: string;
    readonly source: string;
    readonly digest: string;
    readonly etag: string | undefined;
  },
): Promise<ImageRecord> {
  const { host, blobs, signal, onProgress, unpackedBytes, architecture } = context;
  const { algorithm, hex } = parseDigest(from.digest);
  const blobId = `${algorithm === "sha256" ? hex : parseDigest(digestOf(Buffer.from(from.digest))).hex}.raw`;
  await using _lock = await blobs.lock(`disk ${blobId}`, { signal });
  const factsPath = blobs.factsPath(blobId);
  const told = (await blobs.has(blobId))
    ? await host.files.readText(factsPath).catch(() => undefined)
    : undefined;
  let sourceFormat: "raw" | "qcow2" = told === "raw" ? "raw" : "qcow2";
  if (told === undefined) {
    onProgress({ phase: "converting", item: from.what });
    await using work = await blobs.work({ signal });
    const diskPath = join(work.path, "disk.raw");
    ({ sourceFormat } = await makeDisk(host, {
      sourcePath: from.sourcePath,
      what: from.what,
      directory: work.path,
      diskPath,
      unpackedBytes,
      signal,
    }));
    await blobs.publish([{ id: blobId, filePath: diskPath }], {
      id: blobId,
      bytes: Buffer.from(sourceFormat),
    });
  }
  const stat = await host.files.stat(blobs.path(blobId));
  return {
    ref: from.ref,
    digest: from.digest,
    type: "cloudimg",
    sizeBytes: stat?.allocatedBytes ?? 0,
    pulledAt: new Date(host.clock.now()).toISOString(),
    source: from.source,
    architecture,
    layers: [],
    disk: { blobId, format: "raw", virtualSizeBytes: stat?.sizeBytes ?? 0, sourceFormat },
    ...(from.etag === undefined ? {} : { etag: from.etag }),
    blobIds: [blobId],
  };
}

/** What an unfinished download is of. Without that it begins again. */
async function readNote(
  host: Host,
  notePath: string,
  path: string,
): Promise<{ etag?: string } | undefined> {
  try {
    const note = JSON.parse(await host.files.readText(notePath)) as { etag?: unknown };
    return typeof note.etag === "string" ? { etag: note.etag } : {};
  } catch {
    await host.files.remove(path);
    return undefined;
  }
}

function statusError(host: Host, what: string, { status, headers }: HttpResponse): SilkError {
  const wait = retryAfterMs(headers, host.clock.now());
  return new SilkError(
    status === 404
      ? `there is nothing at ${what}`
      : `${what}: the server answers with status ${status}`,
    {
      code: status === 404 ? "IMAGE_NOT_FOUND" : "SERVER_FAILED",
      kind: status === 404 ? "not-found" : statusMayPass(status) ? "unavailable" : "failed",
      details: { status, ...(wait === undefined ? {} : { retryAfterMs: wait }) },
    },
  );
}
