import type { ReadStream } from "node:tty";
import { setRawPty } from "@silkvm/sys";

/**
 * Puts a terminal into raw mode until it is disposed of; also when the program ends in between, or comes back from a stop (SIGCONT).
 * Node's own raw mode goes on turning LF into CR LF, which breaks every full-screen program of the guest; so the last step is ours.
 * Node remembers how the terminal was, and gives that back.
 */
export function rawTerminal(
  terminal: ReadStream & { fd: number },
  onRestore: () => void,
): Disposable {
  let raw = true;
  const restore = (): void => {
    if (!raw) return;
    raw = false;
    process.off("exit", restore);
    process.off("SIGCONT", again);
    terminal.setRawMode(false);
    onRestore();
  };
  const enter = (): void => {
    terminal.setRawMode(true);
    setRawPty(terminal.fd);
  };
  // A shell that took the terminal meanwhile has set it to its own liking.
  const again = (): void => {
    terminal.setRawMode(false);
    enter();
  };
  process.on("exit", restore);
  process.on("SIGCONT", again);
  enter();
  return { [Symbol.dispose]: restore };
}
