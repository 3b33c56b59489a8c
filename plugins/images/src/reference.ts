import { isDigest } from "./digest.ts";
import { invalidReference } from "./errors.ts";

/** A name of an image, taken apart. */
export interface Reference {
  /** Host, and port where one is named: `docker.io`, `localhost:5000`. */
  readonly registry: string;
  /** `library/debian` */
  readonly repository: string;
  /** `latest` where neither a tag nor a digest is named. */
  readonly tag?: string | undefined;
  readonly digest?: string | undefined;
  /** The whole name, as images are known by here: `docker.io/library/debian:12`. */
  readonly name: string;
}

const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const hostPattern =
  /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]{1,5})?$/;

/**
 * Takes a name apart as Docker does: without a registry it is docker.io, without a directory there it is `library/`, without a tag `latest`.
 * @throws SilkError `INVALID_IMAGE_NAME`
 */
export function parseReference(text: string): Reference {
  const fail = (why: string): never => {
    throw invalidReference(text, why);
  };
  if (text === "") fail("it is empty");
  const at = text.indexOf("@");
  const digest = at === -1 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest))
    fail("what follows @ must be a digest, sha256: and 64 hexadecimal digits");
  let rest = at === -1 ? text : text.slice(0, at);
  const slash = rest.indexOf("/");
  const first = slash === -1 ? "" : rest.slice(0, slash);
  const hasRegistry = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  let registry = hasRegistry ? first : "docker.io";
  if (hasRegistry) rest = rest.slice(slash + 1);
  if (!hostPattern.test(registry)) fail(`${JSON.stringify(registry)} is no host`);
  if (registry === "index.docker.io" || registry === "registry-1.docker.io") registry = "docker.io";
  const colon = rest.lastIndexOf(":");
  const named = colon === -1 ? undefined : rest.slice(colon + 1);
  if (named !== undefined && !tagPattern.test(named))
    fail(
      `${JSON.stringify(named)} is no tag: letters, digits, dots, dashes and underscores, at most 128`,
    );
  let repository = colon === -1 ? rest : rest.slice(0, colon);
  if (registry === "docker.io" && !repository.includes("/")) repository = `library/${repository}`;
  if (!repository.split("/").every((part) => component.test(part)) || repository.length > 255)
    fail(
      repository === repository.toLowerCase()
        ? "a repository is lower-case letters and digits, with single dots, dashes or underscores between them"
        : "a repository must be lower-case",
    );
  const tag = named ?? (digest === undefined ? "latest" : undefined);
  const name = `${registry}/${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
  return { registry, repository, tag, digest, name };
}

/** A name as people write it: without what goes without saying. */
export function familiarName(name: string): string {
  return name.replace(/^docker\.io\/library\//, "").replace(/^docker\.io\//, "");
}

/** Whether a registry is this very machine, where there is nobody between. */
export function isLoopback(registry: string): boolean {
  const host = registry.replace(/:\d+$/, "");
  return host === "localhost" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
