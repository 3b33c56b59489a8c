import { closeSync, openSync, writeSync } from "node:fs";
import { isatty, ReadStream } from "node:tty";

import type { Port } from "./port.ts";

function writer(fd: number): (bytes: Buffer) => void {
  return (bytes) => {
    try {
      writeSync(fd, bytes);
    } catch {
      // A full disk or a closed output loses the guest's words, and nothing else.
    }
  };
}

/** A console that is written to a file. Throws Node's error where the file cannot be made. */
export function filePort(path: string): Port {
  const fd = openSync(path, "w");
  return { write: writer(fd), onInput: () => undefined, close: () => closeSync(fd) };
}

/** A console on the process's own output, and on its input where that is a terminal. */
export function ttyPort(): Port {
  let input: ReadStream | undefined;
  return {
    write: writer(1),
    onInput: (listener) => {
      if (!isatty(0)) return;
      input = new ReadStream(0);
      input.setRawMode(true);
      input.on("data", listener);
    },
    close: () => {
      input?.setRawMode(false);
      input?.destroy();
    },
  };
}
