import { closeSync, constants } from "node:fs";
import { constants as osConstants } from "node:os";
import { Duplex } from "node:stream";
import { ReadStream } from "node:tty";
import type { CallOptions, HostTerminal } from "@silkvm/core";
import { setRawPty } from "../pty.ts";
import { SystemError } from "../system-error.ts";
import { setWindowSize } from "../window-size.ts";
import { hasCode } from "./errors.ts";
import { openDescriptor } from "./open-descriptor.ts";

/**
 * Opens a terminal device in raw mode. It does not become this process's controlling terminal.
 * @throws ENOTTY where the path is no terminal
 */
export async function openTerminal(
  path: string,
  { signal }: CallOptions = {},
): Promise<HostTerminal> {
  signal?.throwIfAborted();
  const fd = await openDescriptor(
    path,
    constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK,
  );
  try {
    signal?.throwIfAborted();
    // Not by setRawMode: Node gives back the mode of only one terminal when it exits, which is the user's own.
    setRawPty(fd);
    return new Terminal(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** The stream over a terminal. It ends when the other side hangs up, which the kernel reports now as an end, now as EIO. */
class Terminal extends Duplex implements HostTerminal {
  readonly #fd: number;
  /** Whether the descriptor is left to us, because the stream has opened the terminal once more for itself, as it usually does. */
  readonly #isOurs: boolean;
  readonly #stream: ReadStream;

  constructor(fd: number) {
    super({ allowHalfOpen: false });
    this.#fd = fd;
    this.#stream = new ReadStream(fd);
    this.#isOurs = ownDescriptor(this.#stream) !== fd;
    this.#stream.on("data", (chunk) => {
      if (!this.push(chunk)) this.#stream.pause();
    });
    this.#stream.on("error", (error) => {
      if (!hasCode(error, "EIO")) this.destroy(error);
    });
    this.#stream.on("close", () => this.push(null));
    this.#stream.pause();
  }

  resize(size: { readonly rows: number; readonly columns: number }): void {
    if (this.destroyed || this.#stream.destroyed) return;
    try {
      setWindowSize(this.#fd, size);
    } catch (error) {
      if (!hasCode(error, "ENOTTY", "EINVAL", "EIO")) throw error;
    }
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(
    chunk: Uint8Array,
    _encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    if (this.#stream.destroyed) done(new SystemError(osConstants.errno.EIO, "write"));
    else this.#stream.write(chunk, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const finish = (): void => {
      if (this.#isOurs) closeSync(this.#fd);
      done(error);
    };
    if (this.#stream.closed) finish();
    else this.#stream.once("close", finish).destroy();
  }
}

/** The descriptor that a stream works on: Node tells it of the handle below. */
function ownDescriptor(stream: ReadStream): number {
  const { fd } = (stream as unknown as { readonly _handle: { readonly fd: number } })._handle;
  if (typeof fd !== "number")
    throw new Error("this version of Node does not tell a terminal's descriptor");
  return fd;
}
