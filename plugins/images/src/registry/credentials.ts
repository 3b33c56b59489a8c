import { join } from "node:path";
import { type CallOptions, type Host, SilkError } from "@silkvm/core";

/** What a registry is shown. Never part of a message. */
export type Credentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  | { readonly kind: "identity-token"; readonly token: string }
  | { readonly kind: "registry-token"; readonly token: string };

type Environment = Readonly<Record<string, string | undefined>>;

interface ConfigFile {
  readonly auths?: Readonly<Record<string, unknown>>;
  readonly credHelpers?: Readonly<Record<string, unknown>>;
  readonly credsStore?: unknown;
}

/** Where logins are kept by Docker, Podman, Skopeo and others, the first that knows the registry counts. */
export function credentialFiles(environment: Environment): readonly string[] {
  const { REGISTRY_AUTH_FILE, DOCKER_CONFIG, XDG_RUNTIME_DIR, XDG_CONFIG_HOME, HOME } = environment;
  const files: string[] = [];
  if (REGISTRY_AUTH_FILE) files.push(REGISTRY_AUTH_FILE);
  if (DOCKER_CONFIG) files.push(join(DOCKER_CONFIG, "config.json"));
  if (XDG_RUNTIME_DIR) files.push(join(XDG_RUNTIME_DIR, "containers/auth.json"));
  if (XDG_CONFIG_HOME) files.push(join(XDG_CONFIG_HOME, "containers/auth.json"));
  else if (HOME) files.push(join(HOME, ".config/containers/auth.json"));
  if (HOME && !DOCKER_CONFIG) files.push(join(HOME, ".docker/config.json"));
  return files;
}

/**
 * The login for a repository of a registry, by the files and the helpers that this user has; undefined where there is none.
 * @throws SilkError `CREDENTIALS_UNREADABLE` where a file or a helper that should know it fails
 */
export async function findCredentials(
  host: Host,
  environment: Environment,
  registry: string,
  repository: string,
  options: CallOptions,
): Promise<Credentials | undefined> {
  for (const path of credentialFiles(environment)) {
    const config = await readConfig(host, path);
    if (config === undefined) continue;
    const found = await inConfig(host, path, config, registry, repository, options);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function inConfig(
  host: Host,
  path: string,
  config: ConfigFile,
  registry: string,
  repository: string,
  options: CallOptions,
): Promise<Credentials | undefined> {
  const keys = keysOf(registry, repository);
  for (const key of keys) {
    const helper = config.credHelpers?.[key];
    if (typeof helper === "string") return await askHelper(host, helper, key, options);
  }
  for (const key of keys) {
    const found = config.auths?.[key];
    const login =
      typeof found === "object" && found !== null ? fromEntry(path, key, found) : undefined;
    if (login !== undefined) return login;
  }
  if (typeof config.credsStore !== "string") return undefined;
  const [serverUrl = registry] =
    registry === "docker.io" ? keysOf(registry, "").slice(-2) : [registry];
  return await askHelper(host, config.credsStore, serverUrl, options);
}

/** What a registry may be called in such files: the most precise name first. Docker Hub has one of its own. */
function keysOf(registry: string, repository: string): readonly string[] {
  const parts = repository === "" ? [] : repository.split("/");
  const keys = parts.map(
    (_, index) => `${registry}/${parts.slice(0, parts.length - index).join("/")}`,
  );
  keys.push(
    registry,
    `https://${registry}`,
    `https://${registry}/`,
    `https://${registry}/v1/`,
    `https://${registry}/v2/`,
  );
  if (registry === "docker.io")
    keys.push("registry-1.docker.io", "https://index.docker.io/v1/", "index.docker.io");
  return keys;
}

function fromEntry(path: string, key: string, entry: object): Credentials | undefined {
  const { auth, username, password, identitytoken, registrytoken } = entry as Readonly<
    Record<string, unknown>
  >;
  if (isText(identitytoken)) return { kind: "identity-token", token: identitytoken };
  if (isText(registrytoken)) return { kind: "registry-token", token: registrytoken };
  if (isText(username) && isText(password)) return { kind: "password", username, password };
  if (!isText(auth)) return undefined;
  const text = Buffer.from(auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 1)
    throw unreadable(
      `the login for ${key} in ${path} is damaged`,
      "Log in again, with `docker login` or `skopeo login`.",
    );
  return { kind: "password", username: text.slice(0, colon), password: text.slice(colon + 1) };
}

async function askHelper(
  host: Host,
  helper: string,
  serverUrl: string,
  { signal }: CallOptions,
): Promise<Credentials | undefined> {
  const command = `docker-credential-${helper}`;
  if (!/^[A-Za-z0-9._-]+$/.test(helper))
    throw unreadable(
      `${JSON.stringify(helper)} is no name of a credential helper`,
      "Correct the configuration of Docker.",
    );
  const result = await host.processes
    .run({ command, args: ["get"], input: `${serverUrl}\n`, signal, timeoutMs: 60_000 })
    .catch((error: unknown) => {
      signal?.throwIfAborted();
      throw unreadable(
        `the login for ${serverUrl} is kept by ${command}, which cannot be run`,
        "Install it, or take it out of the configuration of Docker.",
        error,
      );
    });
  if (result.exitCode !== 0) {
    const said = `${result.stdout}${result.stderr}`;
    if (/credentials not found|no credentials/i.test(said)) return undefined;
    // Nothing of what it printed is shown: it may be the secret.
    throw unreadable(
      `${command} failed with exit code ${result.exitCode}`,
      `Run it by hand: echo ${serverUrl} | ${command} get`,
    );
  }
  try {
    const { Username, Secret } = JSON.parse(result.stdout) as Record<string, unknown>;
    if (isText(Username) && isText(Secret))
      return Username === "<token>"
        ? { kind: "identity-token", token: Secret }
        : { kind: "password", username: Username, password: Secret };
  } catch {
    // As below: and the text, with the secret in it, is not a cause to be shown.
  }
  throw unreadable(
    `${command} printed no login`,
    `Run it by hand: echo ${serverUrl} | ${command} get`,
  );
}

async function readConfig(host: Host, path: string): Promise<ConfigFile | undefined> {
  let text: string;
  try {
    text = await host.files.readText(path);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return undefined;
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // The parser's words have pieces of the file in them.
  }
  throw unreadable(`${path} is not valid JSON`, "Correct it, or log in again.");
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function unreadable(message: string, hint: string, cause?: unknown): SilkError {
  return new SilkError(message, { code: "CREDENTIALS_UNREADABLE", kind: "failed", hint, cause });
}
