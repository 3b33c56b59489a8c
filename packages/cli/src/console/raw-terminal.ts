import type { ReadStream } from "node:tty";

/** Puts a terminal into raw mode until it is disposed of; also when the program ends in between, or comes back from a stop (SIGCONT). */
export function rawTerminal(terminal: ReadStream, onRestore: () => void): Disposable {
  let raw = true;
  const restore = (): void => {
    if (!raw) return;
    raw = false;
    process.off("exit", restore);
    process.off("SIGCONT", again);
    terminal.setRawMode(false);
    onRestore();
  };
  // A shell that took the terminal meanwhile has set it to its own liking.
  const again = (): void => {
    terminal.setRawMode(false);
    terminal.setRawMode(true);
  };
  process.on("exit", restore);
  process.on("SIGCONT", again);
  terminal.setRawMode(true);
  return { [Symbol.dispose]: restore };
}
