import { type CallOptions, SilkError } from "@silkvm/core";
import { type Http, retryAfterMs, statusMayPass, withoutQuery } from "../http/http.ts";

const mostSumsBytes = 4 * 1024 ** 2;

/** A checksum that a publisher has beside an image. */
export interface PublishedSum {
  /** `sha256:…` or `sha512:…` */
  readonly digest: string;
  /** Where it is from. */
  readonly url: string;
}

/**
 * The checksum of a file, where its publisher has one beside it: `FILE.sha256`, `SHA256SUMS`, and the like.
 * @throws SilkError where a server fails; that it has no such file is no failure
 */
export async function findSum(
  http: Http,
  fileUrl: string,
  authorization: string | undefined,
  options: CallOptions,
): Promise<PublishedSum | undefined> {
  const url = new URL(fileUrl);
  url.hash = "";
  const name = decodeURIComponent(url.pathname.split("/").at(-1) ?? "");
  const own = (suffix: string): string => {
    const beside = new URL(url);
    beside.pathname += suffix;
    return beside.href;
  };
  const beside = (file: string): string => {
    const other = new URL(url);
    other.pathname = other.pathname.replace(/[^/]*$/, file);
    return other.href;
  };
  const places = [
    own(".sha256"),
    own(".sha512"),
    own(".sha256sum"),
    own(".SHA256"),
    beside("SHA256SUMS"),
    beside("SHA512SUMS"),
    beside("CHECKSUM"),
    beside("sha256sum.txt"),
  ];
  for (const place of places) {
    const text = await read(http, place, authorization, options);
    const digest = text === undefined ? undefined : sumIn(text, name, place.startsWith(url.href));
    if (digest !== undefined) return { digest, url: withoutQuery(place) };
  }
  return undefined;
}

/**
 * The digest of a file in a list of checksums, as `sha256sum` writes it, with or without `--tag`.
 * @param isOwn whether the list is of this file alone, and may leave out its name
 */
export function sumIn(text: string, name: string, isOwn: boolean): string | undefined {
  for (const line of text.split("\n")) {
    const [, plain, plainName] =
      /^\\?([0-9a-fA-F]{64}|[0-9a-fA-F]{128})\s+\*?(?:\.\/)?(.+?)\s*$/.exec(line) ?? [];
    if (plain !== undefined && plainName?.split("/").at(-1) === name) return prefixed(plain);
    const [, tagged, hex] = /^SHA(?:256|512) \((.+)\) = ([0-9a-fA-F]+)\s*$/.exec(line) ?? [];
    if (hex !== undefined && tagged === name && (hex.length === 64 || hex.length === 128))
      return prefixed(hex);
    const alone = line.trim();
    if (isOwn && /^(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{128})$/.test(alone)) return prefixed(alone);
  }
  return undefined;
}

function prefixed(hex: string): string {
  return `${hex.length === 64 ? "sha256" : "sha512"}:${hex.toLowerCase()}`;
}

async function read(
  http: Http,
  url: string,
  authorization: string | undefined,
  options: CallOptions,
): Promise<string | undefined> {
  return await http.retrying(options, async () => {
    const response = await http.once({ url, authorization, signal: options.signal });
    if (response.status !== 200) {
      await response.body.dump().catch(() => undefined);
      if (!statusMayPass(response.status)) return undefined;
      throw new SilkError(`${withoutQuery(url)}: status ${response.status}`, {
        code: "SERVER_FAILED",
        kind: "unavailable",
        details: {
          status: response.status,
          retryAfterMs: retryAfterMs(response.headers, Date.now()),
        },
      });
    }
    const length = Number(response.headers["content-length"] ?? 0);
    // A page of a server that answers everything, or the image itself again.
    if (length > mostSumsBytes) {
      response.body.destroy();
      return undefined;
    }
    return (await http.readAll(response, mostSumsBytes, options)).toString("utf8");
  });
}
