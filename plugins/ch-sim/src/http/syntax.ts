/** A fault in a request, in the words that go back to the client. */
export class RequestError extends Error {}

/** The methods that the server knows. */
export type Method = "GET" | "PUT" | "PATCH";

const METHODS: readonly string[] = ["GET", "PUT", "PATCH"] satisfies readonly Method[];
const VERSIONS: readonly string[] = ["HTTP/1.0", "HTTP/1.1"];

/** What the server minds of a request's headers. */
export interface Headers {
  contentLength: number;
  expect: boolean;
}

/** The parts of a request line. */
export interface RequestLine {
  readonly method: Method;
  readonly uri: string;
  readonly version: string;
}

/** Splits a request line. */
export function parseRequestLine(line: Buffer): RequestLine {
  const text = line.toString("latin1");
  const first = text.indexOf(" ");
  const second = first < 0 ? -1 : text.indexOf(" ", first + 1);
  if (second < 0) throw new RequestError("Invalid request.");
  const method = text.slice(0, first);
  const version = text.slice(second + 1);
  const uri = line.subarray(first + 1, second);
  if (!isMethod(method)) throw new RequestError("Invalid HTTP Method: Unsupported HTTP method.");
  if (uri.length === 0) throw new RequestError("Invalid URI: Empty URI not allowed.");
  if (!isUtf8(uri)) throw new RequestError("Invalid URI: Cannot parse URI as UTF-8.");
  if (!VERSIONS.includes(version))
    throw new RequestError("Invalid HTTP Version: Unsupported HTTP version.");
  return { method, uri: uri.toString("utf8"), version };
}

/** The path of a URI; a query string is part of it. */
export function absolutePath(uri: string): string {
  const prefix = "http://";
  if (!uri.startsWith(prefix)) return uri.startsWith("/") ? uri : "";
  const slash = uri.indexOf("/", prefix.length);
  return slash < 0 ? "" : uri.slice(slash);
}

/** Takes in one header line. What is not supported is passed over, what is wrong makes the request invalid. */
export function parseHeaderLine(headers: Headers, line: Buffer): void {
  if (!isUtf8(line)) {
    throw new RequestError(
      `Invalid header. Reason: Header contains invalid characters. Key: ${utf8Fault(line)}`,
    );
  }
  const text = line.toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 0)
    throw new RequestError(`Invalid header. Reason: Header is incorrectly formatted. Key: ${text}`);
  const key = text.slice(0, colon);
  const rest = text.slice(colon + 1);
  const value = rest.trim();
  switch (key.toLowerCase().trim()) {
    case "content-length":
      if (!/^\+?[0-9]+$/.test(value) || Number(value) > 0xffff_ffff) throw invalidValue(key, rest);
      headers.contentLength = Number(value);
      break;
    case "expect":
      if (value === "100-continue") headers.expect = true;
      break;
    case "accept-encoding":
      checkEncoding(value);
      break;
    default:
      break;
  }
}

function checkEncoding(value: string): void {
  if (value === "") throw new RequestError("Invalid request.");
  for (const encoding of value.split(",")) {
    const name = encoding.trim();
    if (name === "identity;q=0" || (name === "*;q=0" && !value.includes("identity"))) {
      throw invalidValue("Accept-Encoding", encoding);
    }
  }
}

function invalidValue(key: string, value: string): RequestError {
  return new RequestError(`Invalid header. Reason: Invalid value. Key:${key}; Value:${value}`);
}

function isMethod(text: string): text is Method {
  return METHODS.includes(text);
}

function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString("utf8"), "utf8").equals(bytes);
}

function utf8Fault(bytes: Buffer): string {
  let valid = 0;
  while (valid < bytes.length && isUtf8(bytes.subarray(0, valid + 1))) valid++;
  return `invalid utf-8 sequence of 1 bytes from index ${valid}`;
}
