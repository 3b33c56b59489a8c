import { constants, openSync } from "node:fs";
import { type Socket, connect } from "node:net";
import { ReadStream, WriteStream } from "node:tty";
import type { Duplex } from "node:stream";

const defaultTimeoutMs = 5_000;

/** How long to wait for a line; 5000 ms by default. */
export interface LineOptions {
  readonly timeoutMs?: number;
}

/**
 * One end of a test guest's console: commands go in, and each is answered by one line.
 *
 * Only one reader at a time; whoever opens a console must dispose of it.
 */
export class GuestConsole implements Disposable {
  readonly #streams: readonly { destroy(): unknown }[];
  readonly #output: { write(text: string): unknown };
  #received = "";
  #ended: Error | undefined;
  #wake: () => void = () => {};

  private constructor(input: ReadStream | Duplex, output: WriteStream | Duplex) {
    this.#streams = [input, output];
    this.#output = output;
    input.setEncoding("utf8");
    input.on("data", (text: string) => {
      this.#received += text;
      this.#wake();
    });
    /* The far end of a PTY goes with its VM, which shows as EIO. */
    for (const stream of new Set([input, output])) {
      stream.on("error", (cause: Error) => this.#end(new Error("The console broke", { cause })));
      stream.on("close", () => this.#end(new Error("The console was closed")));
    }
  }

  /** Opens the PTY that the VMM reports for the virtio console. */
  static openPty(path: string): GuestConsole {
    const open = (): number =>
      openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    return new GuestConsole(new ReadStream(open()), new WriteStream(open()));
  }

  /** Connects to the socket that stands for the serial line. */
  static async openSocket(path: string): Promise<GuestConsole> {
    const socket = await new Promise<Socket>((resolve, reject) => {
      const attempt = connect(path, () => resolve(attempt));
      attempt.once("error", reject);
    });
    return new GuestConsole(socket, socket);
  }

  /** Sends a line and does not wait for its answer. */
  send(line: string): void {
    this.#output.write(`${line}\n`);
  }

  /** The next line, without its end. Throws when none comes in time, or when the console closes first. */
  async readLine({ timeoutMs = defaultTimeoutMs }: LineOptions = {}): Promise<string> {
    const deadline = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const end = this.#received.indexOf("\n");
      if (end >= 0) {
        const line = this.#received.slice(0, end).replace(/\r$/, "");
        this.#received = this.#received.slice(end + 1);
        return line;
      }
      if (this.#ended) throw this.#ended;
      if (deadline.aborted)
        throw new Error(`No line within ${timeoutMs} ms, only ${JSON.stringify(this.#received)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        deadline.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** Sends a command and returns the line that answers it. */
  async command(line: string, options?: LineOptions): Promise<string> {
    this.send(line);
    return this.readLine(options);
  }

  [Symbol.dispose](): void {
    for (const stream of this.#streams) stream.destroy();
  }

  #end(reason: Error): void {
    this.#ended ??= reason;
    this.#wake();
  }
}
