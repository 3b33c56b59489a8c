import { closeSync, constants, openSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { ReadStream } from "node:tty";

const WAIT_MS = 5_000;

/** The far side of a console: what comes from the guest, and a way to type. */
export class Terminal {
  #text = "";
  readonly #waiting = new Set<() => void>();
  readonly #write: (text: string) => void;
  readonly close: () => void;
  ended = false;

  private constructor(
    stream: ReadStream | Socket,
    write: (text: string) => void,
    close: () => void,
  ) {
    stream.on("data", (bytes: Buffer) => {
      this.#text += bytes.toString();
      for (const look of this.#waiting) look();
    });
    stream.on("error", () => undefined);
    stream.on("close", () => {
      this.ended = true;
      for (const look of this.#waiting) look();
    });
    this.#write = write;
    this.close = close;
  }

  /** Opens a pseudo-terminal's far side. */
  static pty(path: string): Terminal {
    const fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
    const stream = new ReadStream(fd);
    stream.setRawMode(true);
    return new Terminal(
      stream,
      (text) => (stream as unknown as Socket).write(text),
      () => {
        stream.destroy();
        try {
          closeSync(fd);
        } catch {
          // The stream had taken it.
        }
      },
    );
  }

  /** Connects to a serial socket. */
  static socket(path: string): Terminal {
    const socket = connect(path);
    return new Terminal(
      socket,
      (text) => socket.write(text),
      () => socket.destroy(),
    );
  }

  /** Everything that has come. */
  get text(): string {
    return this.#text;
  }

  /** Runs a command in the guest's shell, and gives its answer. */
  async run(command: string): Promise<string> {
    const before = this.#text.length;
    this.#write(`${command}\r`);
    const found = await this.expect(
      new RegExp(`${command}\r\n([\\s\\S]*?)(?:\r\n)?silk# $`),
      before,
    );
    return found[1] ?? "";
  }

  /** Waits until what has come since a place fits a pattern. */
  async expect(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return await this.#until(() => pattern.exec(this.#text.slice(from)), String(pattern));
  }

  /** Waits for the end of the connection. */
  async end(): Promise<void> {
    await this.#until(() => (this.ended ? true : null), "the end");
  }

  async #until<T>(look: () => T | null, what: string): Promise<T> {
    return await new Promise((resolve, reject) => {
      const settle = (): void => {
        const found = look();
        if (found === null && !this.ended) return;
        clearTimeout(timer);
        this.#waiting.delete(settle);
        if (found === null) reject(new Error(`waited for ${what}, but the console is closed`));
        else resolve(found);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(settle);
        const seen = JSON.stringify(this.#text.slice(-200));
        reject(new Error(`waited for ${what}, but there is only ${seen}`));
      }, WAIT_MS);
      this.#waiting.add(settle);
      settle();
    });
  }
}
