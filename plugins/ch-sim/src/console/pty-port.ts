import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";

import { sys } from "../host/native.ts";
import type { Port } from "./port.ts";

/** What the guest may have written that nobody has read yet; what is older goes. */
const BACKLOG_BYTES = 64 * 1024;

/** A console on a pseudo-terminal. */
export interface PtyPort extends Port {
  /** What a person opens, such as `/dev/pts/3`. */
  readonly path: string;
}

interface PipeHandle {
  open(fd: number): number;
}

/**
 * Node opens a descriptor as a stream only where it takes it for a pipe or a socket; a terminal would be written to with
 * calls that wait. This is the same stream, told that the master side is one it can watch.
 */
function watchable(fd: number): Socket {
  const binding = (
    process as unknown as { binding(name: string): { Pipe: new (type: number) => PipeHandle } }
  ).binding("pipe_wrap");
  const handle = new binding.Pipe(0);
  const failure = handle.open(fd);
  if (failure !== 0) throw new Error(`The pseudo-terminal cannot be watched: ${failure}`);
  return new Socket({ handle, readable: true, writable: true } as object);
}

/** Opens a pseudo-terminal in raw mode, and keeps it open whether or not somebody else has it open. */
export async function openPtyPort(): Promise<PtyPort> {
  const { openPty, setRawPty } = await sys();
  const { fd, path } = openPty();
  // With the other side open here too, reading does not fail while nobody else has it.
  const other = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
  setRawPty(other);
  const stream = watchable(fd);
  stream.on("error", () => undefined);
  let backlog = Buffer.alloc(0);
  let writing = false;

  const flush = (): void => {
    if (writing || backlog.length === 0 || stream.destroyed) return;
    const next = backlog;
    backlog = Buffer.alloc(0);
    writing = true;
    stream.write(next, () => {
      writing = false;
      flush();
    });
  };

  return {
    path,
    write: (bytes) => {
      backlog = Buffer.concat([backlog, bytes]).subarray(-BACKLOG_BYTES);
      flush();
    },
    onInput: (listener) => {
      stream.removeAllListeners("data");
      stream.on("data", listener);
    },
    close: () => {
      stream.destroy();
      closeSync(other);
    },
  };
}
