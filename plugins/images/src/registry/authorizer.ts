import { type CallOptions, type Host, SilkError } from "@silkvm/core";
import type { Http, HttpResponse } from "../http/http.ts";
import { statusMayPass } from "../http/http.ts";
import { isLoopback, type Reference } from "../reference.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import { type Credentials, findCredentials } from "./credentials.ts";

const largestTokenBytes = 1024 ** 2;

/** Answers a registry that wants to know who asks. The login is looked for when it is first needed. */
export class Authorizer {
  readonly #host: Host;
  readonly #http: Http;
  readonly #reference: Reference;
  readonly #options: {
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly plainHttp: boolean;
  };
  #header: string | undefined;
  #login: Promise<Credentials | undefined> | undefined;
  #answering: Promise<boolean> | undefined;
  /** Whether a login was found. */
  hasLogin = false;

  constructor(
    host: Host,
    http: Http,
    reference: Reference,
    options: {
      readonly environment: Readonly<Record<string, string | undefined>>;
      readonly plainHttp: boolean;
    },
  ) {
    this.#host = host;
    this.#http = http;
    this.#reference = reference;
    this.#options = options;
  }

  /** `Authorization`, once it is known what to say. */
  get header(): string | undefined {
    return this.#header;
  }

  /** Finds out what to say to a registry that answered 401. False where there is nothing else to say. */
  async answer(response: HttpResponse, options: CallOptions): Promise<boolean> {
    // Several downloads may be refused at once: one of them gets the new token for all.
    this.#answering ??= this.#find(response, options).finally(() => {
      this.#answering = undefined;
    });
    return await this.#answering;
  }

  async #find({ headers }: HttpResponse, options: CallOptions): Promise<boolean> {
    const challenges = parseChallenges(headers["www-authenticate"]);
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    const before = this.#header;
    this.#login ??= findCredentials(
      this.#host,
      this.#options.environment,
      this.#reference.registry,
      this.#reference.repository,
      options,
    );
    const login = await this.#login;
    this.hasLogin = login !== undefined;
    if (bearer !== undefined) {
      const token =
        login?.kind === "registry-token" ? login.token : await this.#token(bearer, login, options);
      this.#header = `Bearer ${token}`;
      return this.#header !== before;
    }
    const wantsBasic = challenges.some(({ scheme }) => scheme === "basic");
    if (!wantsBasic || login?.kind !== "password") return false;
    this.#header = basic(login);
    return this.#header !== before;
  }

  async #token(
    { parameters }: Challenge,
    login: Credentials | undefined,
    options: CallOptions,
  ): Promise<string> {
    const { realm = "", service } = parameters;
    const url = URL.canParse(realm) ? new URL(realm) : undefined;
    const isSafe =
      url?.protocol === "https:" ||
      (url?.protocol === "http:" && (this.#options.plainHttp || isLoopback(url.host)));
    if (url === undefined || !isSafe)
      throw new SilkError(
        `the registry ${this.#reference.registry} sends its callers to a place that is not safe for a login`,
        { code: "UNSAFE_REALM", kind: "denied", details: { registry: this.#reference.registry } },
      );
    const scope = parameters["scope"] ?? `repository:${this.#reference.repository}:pull`;
    return await this.#http.retrying(options, async () => {
      const response =
        login?.kind === "identity-token"
          ? await this.#http.once({
              method: "POST",
              url: url.href,
              headers: { "content-type": "application/x-www-form-urlencoded" },
              body: new URLSearchParams({
                grant_type: "refresh_token",
                client_id: "silk",
                refresh_token: login.token,
                scope,
                ...(service === undefined ? {} : { service }),
              }).toString(),
              signal: options.signal,
            })
          : await this.#http.once({
              url: withQuery(url, { service, scope }),
              authorization: login?.kind === "password" ? basic(login) : undefined,
              signal: options.signal,
            });
      const body = await this.#http.readAll(response, largestTokenBytes, options);
      if (response.status !== 200) throw this.#tokenFailed(url.host, response.status);
      const token = tokenIn(body);
      if (token === undefined) throw this.#tokenFailed(url.host, response.status);
      return token;
    });
  }

  #tokenFailed(server: string, status: number): SilkError {
    const { registry } = this.#reference;
    const isDenied = status === 400 || status === 401 || status === 403;
    return new SilkError(
      isDenied
        ? `${server} refuses the login for ${registry}`
        : `${server} gives no token for ${registry}: status ${status}`,
      {
        code: isDenied ? "REGISTRY_DENIED" : "REGISTRY_FAILED",
        kind: isDenied ? "denied" : statusMayPass(status) ? "unavailable" : "failed",
        hint: `Log in again: docker login ${registry}, or skopeo login ${registry}.`,
        details: { registry, server, status },
      },
    );
  }
}

function basic({
  username,
  password,
}: {
  readonly username: string;
  readonly password: string;
}): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function withQuery(url: URL, query: Readonly<Record<string, string | undefined>>): string {
  const full = new URL(url);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined)
      // Several scopes come as one word with spaces between them.
      for (const one of name === "scope" ? value.split(" ") : [value])
        full.searchParams.append(name, one);
  return full.href;
}

function tokenIn(body: Buffer): string | undefined {
  try {
    const { token, access_token: accessToken } = JSON.parse(body.toString("utf8")) as Record<
      string,
      unknown
    >;
    const found = token ?? accessToken;
    return typeof found === "string" && /^[\x21-\x7e]+$/.test(found) ? found : undefined;
  } catch {
    return undefined;
  }
}
