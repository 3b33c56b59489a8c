import type { Duplex, Readable, Writable } from "node:stream";
import { escapeReader } from "./escape.ts";
import { pump } from "./pump.ts";

/** How a session at a console ended. */
export type Ending =
  /** The person left it. */
  | "left"
  /** The guest's side was closed: the VM has ended, or another client took the serial socket over. */
  | "closed"
  /** Stdin had ended, and the guest has been silent since for the given time. */
  | "idle"
  /** Nobody reads our output any more. */
  | "unread";

export interface AttachOptions {
  readonly console: Duplex;
  readonly input: Readable;
  readonly output: Writable;
  /** Byte of the escape character; undefined where every byte is the guest's. */
  readonly escape: number | undefined;
  /** How long the guest may be silent once the input has ended; undefined: for ever. */
  readonly idleMs: number | undefined;
  /** Ends the session: it rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** Aborted once nobody reads the output. */
  readonly unread: AbortSignal;
  /** The person asks for help. */
  onHelp(): void;
  /** A piece that the guest wrote. */
  onOutput(bytes: Uint8Array): void;
}

/** Connects a person or a script with a guest's console until one of them has had enough. */
export async function attach(options: AttachOptions): Promise<Ending> {
  const { console: guest, input, output, signal, unread, idleMs } = options;
  const ended = Promise.withResolvers<Ending>();
  const read = escapeReader(options.escape);
  let inputEnded = false;
  let idle: NodeJS.Timeout | undefined;
  const awaitSilence = (): void => {
    clearTimeout(idle);
    if (inputEnded && idleMs !== undefined) idle = setTimeout(() => ended.resolve("idle"), idleMs);
  };

  using cleanup = new DisposableStack();
  cleanup.defer(() => clearTimeout(idle));
  const on = (
    emitter: Readable | Duplex,
    event: string,
    listener: (error: NodeJS.ErrnoException) => void,
  ): void => {
    emitter.on(event, listener);
    cleanup.defer(() => void emitter.off(event, listener));
  };
  const onAbort = (target: AbortSignal, listener: () => void): void => {
    if (target.aborted) listener();
    target.addEventListener("abort", listener, { once: true });
    cleanup.defer(() => target.removeEventListener("abort", listener));
  };
  onAbort(signal, () => ended.reject(signal.reason));
  onAbort(unread, () => ended.resolve("unread"));
  for (const event of ["end", "close"]) on(guest, event, () => ended.resolve("closed"));
  on(guest, "error", (error) => {
    if (isHangup(error)) ended.resolve("closed");
    else ended.reject(error);
  });
  on(input, "error", (error) => ended.reject(error));
  on(input, "end", () => {
    inputEnded = true;
    awaitSilence();
  });

  cleanup.use(
    pump(guest, output, (bytes) => {
      options.onOutput(bytes);
      awaitSilence();
      return [bytes];
    }),
  );
  cleanup.use(
    pump(input, guest, (bytes) =>
      read(bytes).flatMap((action) => {
        if (action.type === "send") return [action.bytes];
        if (action.type === "leave") ended.resolve("left");
        else options.onHelp();
        return [];
      }),
    ),
  );
  return await ended.promise;
}

/** What reading from a terminal or a socket gives when the other side has gone. */
function isHangup({ code }: NodeJS.ErrnoException): boolean {
  return code === "EIO" || code === "EPIPE" || code === "ECONNRESET";
}
