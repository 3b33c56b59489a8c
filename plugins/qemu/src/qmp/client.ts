import type { Duplex } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { QmpClosedError, QmpError, QmpTimeoutError } from "./errors.ts";
import { type QmpEvent, type QmpVersion, readMessage } from "./messages.ts";

/** Options of a command. */
export interface QmpCallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Default 30,000. */
  readonly timeoutMs?: number | undefined;
}

/** How QEMU is asked. */
export interface QmpCaller {
  execute(command: string, args?: object, options?: QmpCallOptions): Promise<unknown>;
}

const defaultTimeoutMs = 30_000;
/** More than any answer of QEMU has, and no more than a process can hold. */
const longestLine = 64 * 1024 * 1024;

/**
 * A connection to QEMU's monitor (QMP): one command after the other, or several at once, each answered by its id. QEMU takes one connection at a time and
 * lets others wait: dispose of it soon.
 */
export class QmpClient implements QmpCaller, AsyncDisposable {
  readonly #stream: Duplex;
  readonly #decoder = new StringDecoder("utf8");
  readonly #waiting = new Map<
    number,
    PromiseWithResolvers<unknown> & { readonly command: string }
  >();
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  readonly #greeting = Promise.withResolvers<QmpVersion>();
  #buffered = "";
  #lastId = 0;
  #ended: Error | undefined;

  private constructor(stream: Duplex) {
    this.#stream = stream;
    // Whoever waits for it is told; where nobody does, nobody cares.
    this.#greeting.promise.catch(() => {});
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    stream.on("error", (cause) =>
      this.#end(new QmpClosedError("the connection to QEMU broke", { cause })),
    );
    stream.on("close", () => this.#end(new QmpClosedError("QEMU closed the connection")));
    stream.on("end", () => this.#end(new QmpClosedError("QEMU closed the connection")));
  }

  /**
   * Waits for QEMU's greeting on a fresh connection and agrees on its capabilities. Where it throws the connection is closed.
   * @throws QmpTimeoutError where QEMU talks to somebody else, or hangs; QmpClosedError
   */
  static async open(
    stream: Duplex,
    options: QmpCallOptions = {},
  ): Promise<{ readonly client: QmpClient; readonly version: QmpVersion }> {
    const client = new QmpClient(stream);
    try {
      const version = await within(client.#greeting.promise, "QMP", options);
      await client.execute("qmp_capabilities", undefined, options);
      return { client, version };
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Runs a command.
   * @returns what it returns
   * @throws QmpError where QEMU refuses it, QmpClosedError, QmpTimeoutError, the signal's reason
   */
  async execute(command: string, args?: object, options: QmpCallOptions = {}): Promise<unknown> {
    options.signal?.throwIfAborted();
    if (this.#ended !== undefined) throw this.#ended;
    const id = ++this.#lastId;
    const answer = { ...Promise.withResolvers<unknown>(), command };
    answer.promise.catch(() => {});
    this.#waiting.set(id, answer);
    const request = { execute: command, ...(args === undefined ? {} : { arguments: args }), id };
    this.#stream.write(`${JSON.stringify(request)}\n`);
    try {
      return await within(answer.promise, command, options);
    } finally {
      this.#waiting.delete(id);
    }
  }

  /** Calls back for each event from now on. @returns what ends that */
  onEvent(listener: (event: QmpEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(new QmpClosedError("the connection to QEMU is closed"));
    if (this.#stream.closed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stream.once("close", resolve);
    this.#stream.destroy();
    await promise;
  }

  #take(chunk: Buffer): void {
    this.#buffered += this.#decoder.write(chunk);
    if (this.#buffered.length > longestLine)
      this.#stream.destroy(new Error("QEMU's answer does not end"));
    const lines = this.#buffered.split("\n");
    this.#buffered = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") this.#read(line);
  }

  #read(line: string): void {
    const message = readMessage(line);
    if (message.kind === "greeting") this.#greeting.resolve(message.version);
    else if (message.kind === "event")
      for (const listener of this.#listeners) listener(message.event);
    else if (message.kind === "unknown")
      this.#stream.destroy(new Error(`QEMU said what is no QMP: ${line.slice(0, 200)}`));
    else {
      const answer = this.#waiting.get(message.id);
      if (message.kind === "return") answer?.resolve(message.value);
      else answer?.reject(new QmpError(answer.command, message.errorClass, message.description));
    }
  }

  #end(error: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#greeting.reject(error);
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}

/** Waits for a promise no longer than allowed. */
async function within<T>(
  promise: Promise<T>,
  what: string,
  { signal, timeoutMs = defaultTimeoutMs }: QmpCallOptions,
): Promise<T> {
  const given = Promise.withResolvers<never>();
  const timer = setTimeout(() => given.reject(new QmpTimeoutError(what, timeoutMs)), timeoutMs);
  const onAbort = (): void => given.reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, given.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
