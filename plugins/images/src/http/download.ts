import type * as Crypto from "node:crypto";
import { type CallOptions, type Host, type HostFile, SilkError } from "@silkvm/core";
import { digestMismatch } from "../errors.ts";
import { readFile } from "../files/read-file.ts";
import { SequentialWriter } from "../files/sequential-writer.ts";
import { type Http, type HttpResponse, withoutQuery } from "./http.ts";
import { httpFailed } from "./http-errors.ts";

export interface DownloadRequest extends CallOptions {
  /** The file that grows; one that is there is continued. */
  readonly path: string;
  /** What it is, for messages. */
  readonly what: string;
  /** Asks for the content from a byte on; the answer may begin at the first one all the same. Throws for every status but 200, 206 and 416. */
  readonly open: (startBytes: number) => Promise<HttpResponse>;
  readonly sizeBytes?: number | undefined;
  /** `sha256:…` */
  readonly digest?: string | undefined;
  /** Makes a hash of `sha256`, or of the digest's own algorithm. */
  readonly algorithm: string;
  /** The largest size that is taken where none is known. */
  readonly mostBytes: number;
  readonly onProgress?:
    | ((doneBytes: number, totalBytes: number | undefined, verifying: boolean) => void)
    | undefined;
  /** Told of an answer that begins at the first byte, before anything of it is written. */
  readonly onFresh?: ((response: HttpResponse) => Promise<void>) | undefined;
}

const reportEveryBytes = 1024 ** 2;

/**
 * Downloads into a file, or goes on where an earlier download ended. The digest is that of the whole, what was there before included. What fails for a reason that may
 * pass is tried again from where it broke off; as long as something arrives the attempts do not count.
 * @returns the digest
 * @throws SilkError `DIGEST_MISMATCH`, `SIZE_MISMATCH` (and the file is gone), `DISK_FULL`, `SERVER_UNREACHABLE`, …
 */
export async function download(host: Host, http: Http, request: DownloadRequest): Promise<string> {
  const { path, sizeBytes, digest } = request;
  const resumed = ((await host.files.stat(path))?.sizeBytes ?? 0) > 0;
  try {
    return await attempts(host, http, request);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== "DIGEST_MISMATCH" && code !== "SIZE_MISMATCH") throw error;
    await host.files.remove(path);
    // What was there before may be at fault: once more, from the start.
    if (!resumed || (sizeBytes === undefined && digest === undefined)) throw error;
    try {
      return await attempts(host, http, request);
    } catch (again) {
      const { code: codeAgain } = again as { code?: unknown };
      if (codeAgain === "DIGEST_MISMATCH" || codeAgain === "SIZE_MISMATCH")
        await host.files.remove(path);
      throw again;
    }
  }
}

async function attempts(host: Host, http: Http, request: DownloadRequest): Promise<string> {
  const state: State = {
    bytes: -1,
    hash: newHash(request.algorithm),
    totalBytes: request.sizeBytes,
  };
  for (let failures = 0; ;) {
    const before = state.bytes;
    try {
      await attempt(host, request, state);
      break;
    } catch (error) {
      request.signal?.throwIfAborted();
      const { kind } = error as { kind?: unknown };
      const mayPass = kind === "unavailable" || kind === "timeout";
      failures = state.bytes > Math.max(before, 0) ? 1 : failures + 1;
      if (!mayPass || failures >= http.settings.attempts) throw error;
      await host.clock.delay(http.waitMs(failures, error), request);
    }
  }
  const actual = `${request.algorithm}:${state.hash.digest("hex")}`;
  if (request.digest !== undefined && actual !== request.digest)
    throw digestMismatch(request.what, request.digest, actual);
  return actual;
}

interface State {
  /** In the file, and in the hash; -1 before the file was looked at. */
  bytes: number;
  hash: Crypto.Hash;
  totalBytes: number | undefined;
}

async function attempt(host: Host, request: DownloadRequest, state: State): Promise<void> {
  const { path, onProgress } = request;
  const limit = request.sizeBytes ?? request.mostBytes;
  await using file = await openFile(host, path);
  const { sizeBytes: there } = await file.stat();
  if (there > limit) await restart(file, request, state);
  else if (there !== state.bytes) {
    state.hash = newHash(request.algorithm);
    state.bytes = 0;
    for await (const chunk of readFile(host, path, { signal: request.signal })) {
      state.hash.update(chunk);
      state.bytes += chunk.length;
      onProgress?.(state.bytes, state.totalBytes, true);
    }
  }
  if (request.sizeBytes !== undefined && state.bytes === request.sizeBytes && state.bytes > 0)
    return;
  const response = await request.open(state.bytes);
  if (response.status === 416) {
    await response.body.dump().catch(() => undefined);
    // It is all there already, or the server has something else by now.
    if (state.bytes > 0 && request.sizeBytes === undefined && rangeTotal(response) === state.bytes)
      return;
    await restart(file, request, state);
    throw httpFailed(withoutQuery(response.url), new Error("the server has less than it had"));
  }
  const start = response.status === 206 ? rangeStart(response) : 0;
  if (start !== state.bytes) {
    if (start !== 0) {
      response.body.destroy();
      await restart(file, request, state);
      throw httpFailed(
        withoutQuery(response.url),
        new Error("the server sent another part than was asked for"),
      );
    }
    await restart(file, request, state);
  }
  if (start === 0) await request.onFresh?.(response);
  const told = lengthOf(response);
  state.totalBytes = request.sizeBytes ?? (told === undefined ? undefined : start + told);
  await receive(file, request, state, response, limit);
}

async function receive(
  file: HostFile,
  { what, sizeBytes, signal, onProgress, mostBytes }: DownloadRequest,
  state: State,
  response: HttpResponse,
  limit: number,
): Promise<void> {
  const writer = new SequentialWriter(file, state.bytes);
  let reported = 0;
  let diskFailure: unknown;
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      signal?.throwIfAborted();
      if (state.bytes + chunk.length > limit) {
        response.body.destroy();
        throw sizeBytes === undefined
          ? httpFailed(
              withoutQuery(response.url),
              new RangeError(`${what} is larger than ${mostBytes} bytes`),
            )
          : sizeMismatch(what, sizeBytes, "more");
      }
      state.hash.update(chunk);
      state.bytes += chunk.length;
      await writer.write(chunk).catch((error: unknown) => {
        diskFailure = error;
        throw error;
      });
      if (state.bytes - reported >= reportEveryBytes) {
        reported = state.bytes;
        onProgress?.(state.bytes, state.totalBytes, false);
      }
    }
  } catch (error) {
    // What has come is kept, for the next attempt or the next pull.
    await writer.finish().catch(() => undefined);
    signal?.throwIfAborted();
    throw diskFailure ?? httpFailed(withoutQuery(response.url), error);
  }
  await writer.finish();
  onProgress?.(state.bytes, state.totalBytes, false);
  if (state.totalBytes !== undefined && state.bytes < state.totalBytes)
    throw httpFailed(withoutQuery(response.url), new Error("the connection ended too soon"));
}

async function openFile(host: Host, path: string): Promise<HostFile> {
  return (await host.files.stat(path)) === undefined
    ? await host.files.open(path, "create")
    : await host.files.open(path, "update");
}

async function restart(
  file: HostFile,
  { algorithm }: DownloadRequest,
  state: State,
): Promise<void> {
  await file.truncate(0);
  state.bytes = 0;
  state.hash = newHash(algorithm);
}

function newHash(algorithm: string): Crypto.Hash {
  return process.getBuiltinModule("node:crypto").createHash(algorithm);
}

function rangeStart({ headers }: HttpResponse): number {
  const [, start] = /^bytes (\d+)-/.exec(String(headers["content-range"])) ?? [];
  return start === undefined ? -1 : Number(start);
}

function rangeTotal({ headers }: HttpResponse): number | undefined {
  const [, total] = /^bytes \*\/(\d+)$/.exec(String(headers["content-range"])) ?? [];
  return total === undefined ? undefined : Number(total);
}

function lengthOf({ headers }: HttpResponse): number | undefined {
  const text = headers["content-length"];
  return typeof text === "string" && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function sizeMismatch(what: string, sizeBytes: number, which: "more" | "less"): SilkError {
  return new SilkError(`${what} should have ${sizeBytes} bytes, and has ${which}`, {
    code: "SIZE_MISMATCH",
    kind: "failed",
    hint: "What was received is damaged, or was tampered with. Try again; if it stays so, ask whoever publishes the image.",
    details: { sizeBytes },
  });
}
