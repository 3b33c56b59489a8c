import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Readable } from "node:stream";
import type { Console, GuestExit } from "@silkvm/core";
import { guestExit } from "../kit/exit-status.ts";
import { MarkedStream } from "./marked-stream.ts";

/** How often the guest, which may still boot, is told that somebody is here. */
const knockMs = 250;
/** How often it is told so while what its program writes is not taken. */
const hereMs = 10_000;
/**
 * What is on the way at most, so that none of it is thrown away: a terminal holds 8 KiB. A socket holds little more than the half of that, because a kernel's console
 * writes 16 bytes at a time, each of which takes the room of 768; and QEMU drops what its socket does not take.
 */
const windowBytes: Readonly<Record<Console["kind"], number>> = { pty: 8192, socket: 4096 };
/** No more than this is on the way to the program; it fits into a pipe. */
const inputWindowBytes = 32 * 1024;
const inputPieceBytes = 2048;
/** So much is kept of what comes before the program begins. */
const mostEarlyBytes = 64 * 1024;

/** What {@link attachContainer} is told of the program. */
export interface AttachContainerOptions {
  /** Whether the program has a terminal: `run.tty` of its VM. */
  readonly tty: boolean;
  /** What the program is to read. Default: nothing. */
  readonly input?: Readable | undefined;
  /** Whether its stderr comes by `errors`, and not in the output. Not with `tty`, where both are one terminal. Default false. */
  readonly apart?: boolean | undefined;
  /** Size of the window, of a program with a terminal. */
  readonly size?: { readonly rows: number; readonly columns: number } | undefined;
  /** Called when the program begins. */
  readonly onBegin?: (() => void) | undefined;
}

/** The program of a container's VM, in the hands of whoever has started that with `attach`. */
export interface ContainerAttachment extends Disposable {
  /** What the program writes, to the last byte: to stdout, and to stderr where that is not apart. It ends with the program. */
  readonly output: Readable;
  /** What the program writes to stderr, where that is apart. Both have to be read: who leaves one makes the other wait. */
  readonly errors: Readable;
  /** Whether the program has begun. */
  readonly hasBegun: boolean;
  /** What came from the console before that, at most the last 64 KiB: why a guest did not get so far. */
  readonly early: string;
  /** How the program has ended; undefined where the console was closed before anybody said so. Settles when both streams have been read. */
  readonly ended: Promise<GuestExit | undefined>;
}

/**
 * Gets along with the boot's script of a container's VM at its console, after `start({ attach: true })`: the program begins when this has come, nothing of
 * what it writes is lost, and the VM ends when all of it has arrived.
 */
export function attachContainer(
  console: Console,
  options: AttachContainerOptions,
): ContainerAttachment {
  return new Attachment(console, options);
}

class Attachment implements ContainerAttachment {
  readonly output: Readable;
  readonly errors: Readable;
  readonly ended: Promise<GuestExit | undefined>;
  readonly #console: Console;
  readonly #options: AttachContainerOptions;
  readonly #nonce = randomBytes(16).toString("hex");
  readonly #marked: MarkedStream;
  readonly #done = new AbortController();
  #early: Buffer = Buffer.alloc(0);
  #hasBegun = false;
  #exit: GuestExit | undefined;
  #knocking: NodeJS.Timeout;
  #inputBytes = 0;
  /** So much of what comes next is of stderr. */
  #errorBytes = 0;
  #wake: (() => void) | undefined;

  constructor(console: Console, options: AttachContainerOptions) {
    this.#console = console;
    this.#options = options;
    this.#marked = new MarkedStream(
      ["silk-begin", "silk-ready", "silk-more", "silk-err", "silk-end"],
      this.#nonce,
    );
    const { stream } = console;
    // Who wants more still has, at this moment, what it is about to give away: only the other one can be full.
    const readUnless = (other: () => Readable) => () => {
      if (!isFull(other())) stream.resume();
    };
    this.output = new Readable({ read: readUnless(() => this.errors) });
    this.errors = new Readable({ read: readUnless(() => this.output) });
    if (!this.#isApart) this.errors.push(null);
    const closed = (this.#isApart ? [this.output, this.errors] : [this.output]).map(
      (readable) => new Promise((resolve) => readable.once("close", resolve)),
    );
    this.ended = Promise.all(closed).then(() => this.#exit);
    const knock = (): void => this.#say(`silk-attach ${this.#nonce}`);
    this.#knocking = setInterval(knock, knockMs);
    stream.on("data", this.#onData);
    for (const event of ["end", "close", "error"]) stream.on(event, this.#onClosed);
    knock();
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get #isApart(): boolean {
    return this.#options.apart === true && !this.#options.tty;
  }

  get early(): string {
    return this.#early.toString().replaceAll("\r\n", "\n");
  }

  [Symbol.dispose](): void {
    this.#onClosed();
    const { stream } = this.#console;
    stream.off("data", this.#onData);
    // An error that comes late is of no interest, and must not end the program.
    for (const event of ["end", "close"]) stream.off(event, this.#onClosed);
  }

  readonly #onData = (bytes: Buffer): void => {
    let taken = 0;
    for (const piece of this.#marked.take(bytes)) {
      const { hasBegun } = this;
      if (piece.type === "mark") this.#onMark(piece.mark, piece.words);
      else if (!hasBegun)
        this.#early = Buffer.concat([this.#early, piece.bytes]).subarray(-mostEarlyBytes);
      else if (this.#exit === undefined) this.#deliver(piece.bytes);
      if (hasBegun && this.#exit === undefined)
        taken += piece.type === "mark" ? piece.sizeBytes : piece.bytes.length;
    }
    if (taken > 0 && !this.#options.tty) this.#say(`a ${taken}`);
  };

  #deliver(bytes: Buffer): void {
    const errors = bytes.subarray(0, this.#errorBytes);
    this.#errorBytes -= errors.length;
    for (const [stream, part] of [
      [this.errors, errors],
      [this.output, bytes.subarray(errors.length)],
    ] as const)
      if (part.length > 0 && !stream.push(part)) this.#console.stream.pause();
  }

  #onMark(mark: string, words: readonly string[]): void {
    if (mark === "silk-begin" && !this.#hasBegun) this.#begin();
    else if (mark === "silk-ready") this.#startInput();
    else if (mark === "silk-more") {
      this.#inputBytes -= Number(words[0]);
      this.#wake?.();
    } else if (mark === "silk-err") this.#errorBytes += Number(words[0]);
    else if (mark === "silk-end") {
      if (this.#exit === undefined) {
        this.#exit = guestExit(words[0] ?? "", Number(words[1])) ?? { exitCode: 125 };
        this.#end();
      }
      // The guest says it again until it has heard this. What was typed before stays a line of its own.
      this.#say(`\nsilk-bye ${this.#nonce}`);
    }
  }

  #begin(): void {
    this.#hasBegun = true;
    clearInterval(this.#knocking);
    const { tty, input, size } = this.#options;
    const window = tty ? 0 : windowBytes[this.#console.kind];
    const hasInput = input !== undefined && !tty;
    const { rows = 0, columns = 0 } = size ?? {};
    const words = [window, hasInput ? 1 : 0, rows, columns, this.#isApart ? 1 : 0];
    this.#say(["silk-go", this.#nonce, ...words].join(" "));
    this.#options.onBegin?.();
    if (tty) return;
    this.#knocking = setInterval(this.#sayHere, hereMs);
    this.#startInput();
  }

  /** Whoever waits for nothing does not read it: it would fill what holds it. */
  readonly #sayHere = (): void => {
    if (this.#console.stream.isPaused()) this.#say("a 0");
  };

  #startInput(): void {
    const { input, tty } = this.#options;
    if (input === undefined) return;
    this.#send(input, tty).catch((error: unknown) => {
      if (!this.#done.signal.aborted) this.output.destroy(error as Error);
    });
  }

  async #send(input: Readable, tty: boolean): Promise<void> {
    const { signal } = this.#done;
    const pieceBytes = tty ? Number.POSITIVE_INFINITY : inputPieceBytes;
    for await (const chunk of input.iterator({ destroyOnReturn: false })) {
      const bytes = Buffer.from(chunk as Uint8Array | string);
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        const piece = bytes.subarray(at, at + pieceBytes);
        if (!tty) {
          while (this.#inputBytes + piece.length > inputWindowBytes) await this.#room();
          this.#inputBytes += piece.length;
        }
        if (signal.aborted || this.#exit !== undefined) return;
        const text = tty ? piece : `d ${piece.toString("base64")}\n`;
        if (!this.#console.stream.write(text)) await this.#drained();
      }
    }
    if (!tty) this.#say("e");
  }

  async #room(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
  }

  async #drained(): Promise<void> {
    const { stream } = this.#console;
    if (stream.writableNeedDrain) await once(stream, "drain", { signal: this.#done.signal });
  }

  #say(line: string): void {
    const { stream } = this.#console;
    if (stream.writable) stream.write(`${line}\n`);
  }

  readonly #onClosed = (): void => {
    if (this.#done.signal.aborted) return;
    this.#done.abort();
    this.#wake?.();
    clearInterval(this.#knocking);
    if (this.#exit !== undefined) return;
    const rest = this.#marked.end();
    if (this.#hasBegun) this.#deliver(rest);
    else this.#early = Buffer.concat([this.#early, rest]);
    this.#end();
  };

  #end(): void {
    this.output.push(null);
    if (this.#isApart) this.errors.push(null);
  }
}

function isFull({ readableLength, readableHighWaterMark }: Readable): boolean {
  return readableLength >= readableHighWaterMark;
}
