import {
  type Headers,
  type Method,
  parseHeaderLine,
  parseRequestLine,
  RequestError,
} from "./syntax.ts";

/** Bytes that the parser can hold of a line, and takes from the socket at a time. */
const BUFFER_SIZE = 1024;

/** A request as it came over the wire. */
export interface HttpRequest {
  readonly method: Method;
  readonly uri: string;
  readonly version: string;
  readonly body: Buffer | undefined;
}

/** What came of a read: whole requests, and answers that the parser gives by itself. */
export interface ReadResult {
  readonly requests: readonly HttpRequest[];
  /** Versions of the requests whose client waits for a "100 Continue". */
  readonly continues: readonly string[];
  /** What the parser refused, if it did; the requests that were read before it are dropped. */
  readonly error: string | undefined;
}

interface Pending {
  readonly method: Method;
  readonly uri: string;
  readonly version: string;
  readonly headers: Headers;
}

/**
 * The parser of one connection. It works on one small buffer, as the server it stands in for does, so that an over-long line
 * gives the same run of errors: after an error the state and what was kept of the buffer stay, and new bytes go on from there.
 */
export class RequestParser {
  readonly #maxBody: number;
  readonly #buffer = Buffer.alloc(BUFFER_SIZE);
  #kept = 0;
  #state: "line" | "headers" | "body" = "line";
  #pending: Pending | undefined;
  #body: Buffer[] = [];
  #missing = 0;

  constructor(maxBodyBytes: number) {
    this.#maxBody = maxBodyBytes;
  }

  /** How many bytes the next read takes at most. */
  get room(): number {
    return BUFFER_SIZE - this.#kept;
  }

  /** Takes at most `room` bytes. */
  read(bytes: Buffer): ReadResult {
    const requests: HttpRequest[] = [];
    const continues: string[] = [];
    bytes.copy(this.#buffer, this.#kept);
    try {
      this.#parse(this.#kept + bytes.length, requests, continues);
      return { requests, continues, error: undefined };
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return { requests: [], continues, error: error.message };
    }
  }

  #parse(end: number, requests: HttpRequest[], continues: string[]): void {
    let start = 0;
    for (;;) {
      if (this.#state === "body") {
        const available = end - start;
        const taken = Math.min(available, this.#missing);
        this.#body.push(Buffer.from(this.#buffer.subarray(start, start + taken)));
        this.#missing -= taken;
        start += taken;
        if (this.#missing > 0) {
          this.#kept = 0;
          return;
        }
        requests.push(this.#finish(Buffer.concat(this.#body)));
        this.#body = [];
        continue;
      }
      const at = this.#buffer.subarray(start, end).indexOf("\r\n");
      if (at < 0) {
        this.#keep(start, end);
        return;
      }
      const line = this.#buffer.subarray(start, start + at);
      if (this.#state === "line") {
        start += at + 2;
        this.#pending = { ...parseRequestLine(line), headers: { contentLength: 0, expect: false } };
        this.#state = "headers";
      } else if (at > 0) {
        parseHeaderLine(this.#request().headers, line);
        start += at + 2;
      } else {
        this.#endHeaders(requests, continues);
        start += 2;
      }
    }
  }

  #endHeaders(requests: HttpRequest[], continues: string[]): void {
    const { headers, version } = this.#request();
    if (headers.contentLength === 0) {
      requests.push(this.#finish(undefined));
      return;
    }
    if (headers.contentLength > this.#maxBody) {
      throw new RequestError(
        `Request payload with size ${headers.contentLength} is larger than the limit of ${this.#maxBody} allowed by server.`,
      );
    }
    if (headers.expect) continues.push(version);
    this.#missing = headers.contentLength;
    this.#state = "body";
  }

  #finish(body: Buffer | undefined): HttpRequest {
    const { method, uri, version } = this.#request();
    this.#state = "line";
    this.#pending = undefined;
    return { method, uri, version, body };
  }

  #request(): Pending {
    if (this.#pending === undefined) {
      throw new RequestError("No request was pending while the request headers were being parsed.");
    }
    return this.#pending;
  }

  /** Moves an unfinished line to the front, where the next read goes on with it. */
  #keep(start: number, end: number): void {
    if (start === 0 && end === BUFFER_SIZE) {
      if (this.#state === "line") throw new RequestError("Invalid request.");
      throw new RequestError(
        `Invalid header. Reason: Invalid content length. Header: ${this.#buffer.toString("utf8")}`,
      );
    }
    this.#buffer.copy(this.#buffer, 0, start, end);
    this.#buffer.fill(0, end - start, end);
    this.#kept = end - start;
  }
}
