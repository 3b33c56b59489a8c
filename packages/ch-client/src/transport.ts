/** One HTTP request to the VMM. */
export interface ChTransportRequest {
  readonly method: "GET" | "PUT";
  /** Absolute path, `/api/v1/` included. */
  readonly path: string;
  /** JSON, at most 51,200 bytes; sent with Content-Length, never in chunks. */
  readonly body?: string | undefined;
  /**
   * Ends the request: the transport rejects at once, with any error, and gives up the connection if the request was on its
   * way. If it was not, an error with `sent: false` lets the client say so.
   */
  readonly signal?: AbortSignal | undefined;
}

/** What the VMM answered, whatever its status. */
export interface ChTransportResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Empty where there is none. */
  readonly body: string;
}

/**
 * How requests reach the VMM: the default is {@link undiciTransport}. Wrap it to count, trace or fail calls:
 * `createChClient({ socketPath, transport: async (request) => { count(); return inner(request); } })`. The client hands over
 * one request at a time. An answer with any status is a resolved promise. Of a rejection, errors of sockets and of HTTP become
 * a ChConnectionError or a ChProtocolError, and everything else reaches the caller as it is.
 */
export interface ChTransport {
  (request: ChTransportRequest): Promise<ChTransportResponse>;
  /** Ends the connection. A wrapper that leaves it out leaves the connection to time out by itself. */
  close?(): Promise<void>;
}
