import type { CallOptions, Host } from "@silkvm/core";
import type { Dispatcher } from "undici";
import { httpFailed, unsafeRedirect } from "./http-errors.ts";

/** How patient downloads are. */
export interface HttpSettings {
  /** How long a connection may take. Default 20,000. */
  readonly connectTimeoutMs: number;
  /** How long a server may be silent, before its answer and within it. Default 30,000. */
  readonly stallTimeoutMs: number;
  /** How often something is tried that fails for a reason that may pass. Default 6. */
  readonly attempts: number;
  /** What is waited before the second attempt; each wait after that is twice as long, up to 30 s. Default 500. */
  readonly backoffMs: number;
}

export const defaultHttpSettings: HttpSettings = {
  connectTimeoutMs: 20_000,
  stallTimeoutMs: 30_000,
  attempts: 6,
  backoffMs: 500,
};

export interface HttpRequest extends CallOptions {
  readonly method?: "GET" | "HEAD" | "POST" | undefined;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent to the first host alone: a redirect to another one goes without. */
  readonly authorization?: string | undefined;
  readonly body?: string | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Dispatcher.ResponseData["body"];
  /** Where the answer came from, after redirects. */
  readonly url: string;
}

const mostRedirects = 10;
const longestWaitMs = 30_000;
const passing: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** HTTP for downloads: redirects, time-outs, attempts. Through the proxies that the environment names (`HTTPS_PROXY`, `NO_PROXY`, …). */
export class Http implements AsyncDisposable {
  readonly settings: HttpSettings;
  readonly #host: Host;
  #dispatcher: Promise<Dispatcher> | undefined;

  constructor(host: Host, settings: Partial<HttpSettings> = {}) {
    this.#host = host;
    this.settings = { ...defaultHttpSettings, ...settings };
  }

  /**
   * One exchange, redirects followed; an answer of whatever status is no error.
   * @throws SilkError of kind `unavailable`, `aborted`
   */
  async once(request: HttpRequest): Promise<HttpResponse> {
    const { request: send } = await import("undici");
    this.#dispatcher ??= this.#open();
    const dispatcher = await this.#dispatcher;
    let { url, authorization } = request;
    for (let redirects = 0; ; redirects += 1) {
      const { signal, method = "GET", body } = request;
      signal?.throwIfAborted();
      const target = url;
      const response = await this.#host
        .effect(`http ${method} ${withoutQuery(target)}`, () =>
          send(target, {
            method,
            dispatcher,
            headers: {
              "user-agent": "silk",
              ...request.headers,
              ...(authorization === undefined ? {} : { authorization }),
            },
            ...(body === undefined ? {} : { body }),
            ...(signal === undefined ? {} : { signal }),
          }),
        )
        .catch((error: unknown) => {
          signal?.throwIfAborted();
          throw httpFailed(withoutQuery(target), error);
        });
      const location = response.headers["location"];
      if (![301, 302, 303, 307, 308].includes(response.statusCode) || typeof location !== "string")
        return { status: response.statusCode, headers: response.headers, body: response.body, url };
      await response.body.dump().catch(() => undefined);
      if (redirects === mostRedirects)
        throw httpFailed(withoutQuery(url), new Error("too many redirects"));
      const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
      if (next === undefined || !/^https?:$/.test(next.protocol))
        throw unsafeRedirect(withoutQuery(url));
      const from = new URL(url);
      // What began encrypted stays so.
      if (from.protocol === "https:" && next.protocol === "http:")
        throw unsafeRedirect(withoutQuery(url));
      if (from.origin !== next.origin) authorization = undefined;
      url = next.href;
    }
  }

  /**
   * Tries until it works, or fails for a reason that does not pass, or has been tried often enough.
   * @param run throws an error of kind `unavailable` or `timeout` for what may pass
   */
  async retrying<T>(options: CallOptions, run: (attempt: number) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await run(attempt);
      } catch (error) {
        options.signal?.throwIfAborted();
        if (attempt >= this.settings.attempts || !mayPass(error)) throw error;
        await this.#host.clock.delay(this.waitMs(attempt, error), options);
      }
    }
  }

  /** How long to wait before the next attempt: twice as long each time, a little at random, or what the server says. */
  waitMs(attempt: number, error: unknown): number {
    const told = (error as { details?: { retryAfterMs?: unknown } }).details?.retryAfterMs;
    if (typeof told === "number") return Math.min(told, 2 * longestWaitMs);
    const jitter = 0.75 + (this.#host.random.bytes(1)[0] ?? 0) / 512;
    return Math.min(this.settings.backoffMs * 2 ** (attempt - 1), longestWaitMs) * jitter;
  }

  /** The whole body. @throws SilkError where it is larger than is allowed, or breaks off */
  async readAll(
    { body, url }: HttpResponse,
    mostBytes: number,
    options: CallOptions,
  ): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > mostBytes) throw new RangeError(`the answer is larger than ${mostBytes} bytes`);
        chunks.push(chunk);
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      throw httpFailed(withoutQuery(url), error);
    }
    return Buffer.concat(chunks);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#dispatcher)?.destroy();
  }

  async #open(): Promise<Dispatcher> {
    const { EnvHttpProxyAgent } = await import("undici");
    const { connectTimeoutMs, stallTimeoutMs } = this.settings;
    const { no_proxy: lower, NO_PROXY: upper } = process.env;
    const direct = lower ?? upper ?? "";
    return new EnvHttpProxyAgent({
      // No proxy knows what this machine calls localhost.
      noProxy: direct === "*" ? direct : `${direct},localhost,127.0.0.1,[::1]`,
      connect: { timeout: connectTimeoutMs },
      headersTimeout: stallTimeoutMs,
      bodyTimeout: stallTimeoutMs,
      keepAliveTimeout: 4_000,
      allowH2: false,
    });
  }
}

/** Whether a status is one that may pass. */
export function statusMayPass(status: number): boolean {
  return passing.has(status);
}

/** `Retry-After`, in seconds or as a date. */
export function retryAfterMs(headers: HttpResponse["headers"], nowMs: number): number | undefined {
  const text = headers["retry-after"];
  if (typeof text !== "string") return undefined;
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(at - nowMs, 0);
}

/** Queries of download links have keys in them. */
export function withoutQuery(url: string): string {
  if (!URL.canParse(url)) return url.replace(/\?.*$/, "");
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

function mayPass(error: unknown): boolean {
  const { kind } = error as { kind?: unknown };
  return kind === "unavailable" || kind === "timeout";
}
