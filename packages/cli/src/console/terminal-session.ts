import type { Console } from "@silkvm/core";
import { outputClosed } from "../output/guard.ts";
import { say } from "../output/stderr.ts";
import { attach, type Ending } from "./attach.ts";
import { formatEscapeChar } from "./escape.ts";
import { TerminalModes } from "./terminal-modes.ts";

export interface SessionOptions {
  readonly vmName: string;
  /** Byte of the escape character; undefined for none. Only a terminal has one: in a pipe every byte is the guest's. */
  readonly escape: number | undefined;
  readonly idleMs: number | undefined;
  readonly signal: AbortSignal;
}

/** Gives this program's stdin and stdout to a console, and gives the terminal back as it was. */
export async function runSession(guest: Console, options: SessionOptions): Promise<Ending> {
  const { stdin, stdout } = process;
  const { vmName, escape, idleMs, signal } = options;
  const interactive = stdin.isTTY;
  const modes = new TerminalModes();
  using cleanup = new DisposableStack();
  if (stdout.isTTY) {
    const resize = (): void => guest.resize({ rows: stdout.rows, columns: stdout.columns });
    resize();
    stdout.on("resize", resize);
    cleanup.defer(() => void stdout.off("resize", resize));
  }
  if (interactive) {
    const { rawTerminal } = await import("./raw-terminal.ts");
    cleanup.use(
      rawTerminal(stdin, () => {
        if (stdout.isTTY) stdout.write(modes.restore());
      }),
    );
    // Not before: what somebody types, or a script sends, on reading it would be taken by the terminal.
    process.stderr.write(greeting(vmName, escape));
  }
  const ending = await attach({
    console: guest.stream,
    input: stdin,
    output: stdout,
    escape: interactive ? escape : undefined,
    idleMs,
    signal,
    unread: outputClosed,
    onHelp: () => process.stderr.write(helpText(escape)),
    onOutput: (bytes) => modes.watch(bytes),
  });
  cleanup.dispose();
  if (interactive) say(`\n${endingText[ending]} ${vmName}.`);
  return ending;
}

const endingText: Readonly<Record<Ending, string>> = {
  left: "Left the console of",
  closed: "The console was closed by",
  idle: "Nothing more came from",
  unread: "Nobody reads the console of",
};

function greeting(vmName: string, escape: number | undefined): string {
  const typed = escape === undefined ? undefined : formatEscapeChar(escape);
  const help = typed === undefined ? "" : ` ${typed} . leaves, ${typed} ? helps.`;
  return `Connected to the console of ${vmName}.${help}\r\n`;
}

/** In raw mode a new line does not go back to the first column. */
function helpText(escape: number | undefined): string {
  if (escape === undefined) return "";
  const typed = formatEscapeChar(escape);
  const lines = [
    "",
    `${typed} .  leave the console; the VM goes on`,
    `${typed} ?  this help`,
    `${typed} ${typed}  send ${typed} to the guest`,
    "",
  ];
  return lines.join("\r\n");
}
