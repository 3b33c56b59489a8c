import { type CallOptions, type Host, SilkError } from "@silkvm/core";
import { digestOf, parseDigest } from "../digest.ts";
import { digestMismatch } from "../errors.ts";
import {
  type Http,
  type HttpResponse,
  retryAfterMs,
  statusMayPass,
  withoutQuery,
} from "../http/http.ts";
import { isTls } from "../http/http-errors.ts";
import { largestDocumentBytes } from "../oci/manifest.ts";
import { indexTypes, manifestTypes } from "../oci/media-types.ts";
import { isLoopback, type Reference } from "../reference.ts";
import { Authorizer } from "./authorizer.ts";

export interface RegistryOptions {
  /** Whether the registry may be asked without encryption. One on this very machine may always. */
  readonly plainHttp?: boolean | undefined;
  /** Where logins are found. Default: that of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

const hubHost = "registry-1.docker.io";

/** One repository of a registry: the OCI distribution API, as far as a pull needs it. */
export class RepositoryClient {
  readonly #host: Host;
  readonly #http: Http;
  readonly #reference: Reference;
  readonly #authorizer: Authorizer;
  readonly #origins: string[];

  constructor(host: Host, http: Http, reference: Reference, options: RegistryOptions) {
    this.#host = host;
    this.#http = http;
    this.#reference = reference;
    const server = reference.registry === "docker.io" ? hubHost : reference.registry;
    const isHere = isLoopback(server);
    this.#origins =
      options.plainHttp === true
        ? [`http://${server}`]
        : isHere
          ? [`https://${server}`, `http://${server}`]
          : [`https://${server}`];
    this.#authorizer = new Authorizer(host, http, reference, {
      environment: options.environment ?? process.env,
      plainHttp: options.plainHttp === true || isHere,
    });
  }

  /**
   * A manifest or an index, its digest checked where one was asked for.
   * @param name a tag or a digest
   */
  async manifest(
    name: string,
    options: CallOptions,
  ): Promise<{ readonly bytes: Buffer; readonly digest: string }> {
    const accept = [...indexTypes, ...manifestTypes].join(", ");
    return await this.#http.retrying(options, async () => {
      const response = await this.#get(`manifests/${name}`, { accept }, options);
      const bytes = await this.#http.readAll(response, largestDocumentBytes, options);
      const isDigest = name.includes(":");
      const digest = digestOf(bytes, isDigest ? parseDigest(name).algorithm : "sha256");
      if (isDigest && digest !== name) throw digestMismatch("the manifest", name, digest);
      return { bytes, digest };
    });
  }

  /** A small blob, such as a config. */
  async document(digest: string, sizeBytes: number, options: CallOptions): Promise<Buffer> {
    return await this.#http.retrying(options, async () => {
      const response = await this.openBlob(digest, 0, options);
      const bytes = await this.#http.readAll(
        response,
        Math.min(Math.max(sizeBytes, 1), largestDocumentBytes),
        options,
      );
      const actual = digestOf(bytes, parseDigest(digest).algorithm);
      if (actual !== digest) throw digestMismatch("the config of the image", digest, actual);
      return bytes;
    });
  }

  /** A blob from a byte on, as far as the registry does that: status 200, 206 or 416. */
  openBlob(digest: string, startBytes: number, options: CallOptions): Promise<HttpResponse> {
    const range = startBytes === 0 ? {} : { range: `bytes=${startBytes}-` };
    return this.#get(`blobs/${digest}`, { accept: "*/*", ...range }, options);
  }

  async #get(
    path: string,
    headers: Readonly<Record<string, string>>,
    options: CallOptions,
  ): Promise<HttpResponse> {
    const { repository } = this.#reference;
    for (let attempt = 0; ; attempt += 1) {
      const response = await this.#send(`/v2/${repository}/${path}`, headers, options);
      if ([200, 206, 416].includes(response.status)) return response;
      const body = await this.#http
        .readAll(response, 64 * 1024, options)
        .catch(() => Buffer.alloc(0));
      // Once more with a login; and once with a new token, where the one that there was has grown old.
      if (
        response.status === 401 &&
        attempt < 2 &&
        (await this.#authorizer.answer(response, options))
      )
        continue;
      throw this.#failed(response, body, path);
    }
  }

  async #send(
    path: string,
    headers: Readonly<Record<string, string>>,
    options: CallOptions,
  ): Promise<HttpResponse> {
    for (;;) {
      const [origin = "", ...others] = this.#origins;
      try {
        const response = await this.#http.once({
          url: `${origin}${path}`,
          headers,
          authorization: this.#authorizer.header,
          signal: options.signal,
        });
        this.#origins.length = 1;
        return response;
      } catch (error) {
        const { cause } = error as { cause?: unknown };
        const { code } = (cause ?? {}) as { code?: unknown };
        // A registry of this machine that does not speak TLS.
        if (
          others.length === 0 ||
          !(isTls(cause) || code === "ECONNRESET" || code === "UND_ERR_SOCKET")
        )
          throw error;
        this.#origins.shift();
      }
    }
  }

  #failed(response: HttpResponse, body: Buffer, path: string): SilkError {
    const { registry, name } = this.#reference;
    const { status } = response;
    const said = saidBy(body);
    const details = { registry, status, ...(said === "" ? {} : { said }) };
    const words = said === "" ? `status ${status}` : said;
    if (status === 404)
      return new SilkError(
        path.startsWith("manifests/")
          ? `there is no image ${name}: ${words}`
          : `the registry ${registry} has lost a part of ${name}: ${words}`,
        {
          code: "IMAGE_NOT_FOUND",
          kind: "not-found",
          hint: "See that the name and the tag are right; a private image may need a login.",
          details,
        },
      );
    if (status === 401 || status === 403)
      return new SilkError(`${registry} does not give out ${name}: ${words}`, {
        code: "REGISTRY_DENIED",
        kind: "denied",
        hint: this.#authorizer.hasLogin
          ? "The login is refused, or may not read this image: log in again (`docker login`, `skopeo login`)."
          : `There is no such image, or it needs a login: docker login ${registry}, or skopeo login ${registry}.`,
        details,
      });
    const retryMs = retryAfterMs(response.headers, this.#host.clock.now());
    if (status === 429)
      return new SilkError(`${registry} wants fewer requests: ${words}`, {
        code: "RATE_LIMITED",
        kind: "unavailable",
        hint: "Wait a while, or log in: registries allow more to those whom they know.",
        details: { ...details, ...(retryMs === undefined ? {} : { retryAfterMs: retryMs }) },
      });
    return new SilkError(`${registry} failed: ${words}`, {
      code: "REGISTRY_FAILED",
      kind: statusMayPass(status) ? "unavailable" : "failed",
      details: {
        ...details,
        url: withoutQuery(response.url),
        ...(retryMs === undefined ? {} : { retryAfterMs: retryMs }),
      },
    });
  }
}

/** The errors of a registry's answer, in its own words. */
function saidBy(body: Buffer): string {
  try {
    const { errors } = JSON.parse(body.toString("utf8")) as { errors?: unknown };
    if (!Array.isArray(errors)) return "";
    return errors
      .map((error: { code?: unknown; message?: unknown }) =>
        [error.code, error.message]
          .filter((text) => typeof text === "string" && text !== "")
          .join(": "),
      )
      .join("; ")
      .slice(0, 500);
  } catch {
    return "";
  }
}
