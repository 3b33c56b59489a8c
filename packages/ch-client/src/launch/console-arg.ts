import type { ConsoleConfig, DebugConsoleConfig, SerialConfig } from "../schema/consoles.ts";
import { optionString, pciOptions, text, type Option } from "./option-string.ts";

/** The serial port as the value of `--serial`: `off`, `null`, `pty`, `tty`, `file=…` or `socket=…`. */
export function serialArg(serial: SerialConfig): string {
  return optionString([mode(serial)]);
}

/** The virtio console as the value of `--console`. */
export function consoleArg(console: ConsoleConfig): string {
  return optionString([mode(console), ...pciOptions(console)]);
}

/** The debug port as the value of `--debug-console`. */
export function debugConsoleArg(debugConsole: DebugConsoleConfig): string {
  const { iobase } = debugConsole;
  return optionString([
    mode(debugConsole),
    iobase === undefined ? undefined : `iobase=0x${iobase.toString(16)}`,
  ]);
}

function mode(console: SerialConfig | DebugConsoleConfig): Option {
  if (console.mode === "File") return text("file", console.file ?? "");
  if (console.mode === "Socket")
    return text("socket", ("socket" in console ? console.socket : undefined) ?? "");
  return console.mode.toLowerCase();
}
