import { usageError } from "../cli-error.ts";

/** What a person means who has typed something at the console. */
export type Action =
  | { readonly type: "send"; readonly bytes: Uint8Array }
  | { readonly type: "leave" }
  | { readonly type: "help" };

const dot = 0x2e;
const questionMark = 0x3f;

/**
 * Reads an escape character as a person types it: `^]`, `^A`, one character, or `none`.
 * @returns its byte; undefined for `none`
 * @throws CliError of kind `invalid`
 */
export function parseEscapeChar(text: string): number | undefined {
  if (text === "none") return undefined;
  if (/^\^[@-_a-z]$/.test(text)) return text.toUpperCase().charCodeAt(1) & 0x1f;
  if (/^[!-~]$/.test(text) && text !== "." && text !== "?") return text.charCodeAt(0);
  throw usageError(
    `--escape-char: ${JSON.stringify(text)} is no escape character`,
    "Give ^] or another ^ with a letter, one character, or none.",
  );
}

/** An escape character as a person types it. */
export function formatEscapeChar(byte: number): string {
  return byte < 0x20 ? `^${String.fromCharCode(byte + 0x40)}` : String.fromCharCode(byte);
}

/**
 * Tells commands to silk from what is meant for the guest: the escape character, then `.` leaves, `?` helps, the escape character again
 * sends it once; before anything else it goes to the guest with it. An escape character may come at the end of one piece and its
 * command at the start of the next.
 */
export function escapeReader(escape: number | undefined): (bytes: Uint8Array) => Action[] {
  let escaped = false;
  return (bytes) => {
    if (escape === undefined) return [{ type: "send", bytes }];
    const actions: Action[] = [];
    let pending: number[] = [];
    const flush = (): void => {
      if (pending.length > 0) actions.push({ type: "send", bytes: Uint8Array.from(pending) });
      pending = [];
    };
    for (const byte of bytes) {
      if (!escaped) {
        if (byte === escape) escaped = true;
        else pending.push(byte);
        continue;
      }
      escaped = false;
      if (byte === dot) {
        flush();
        return [...actions, { type: "leave" }];
      }
      if (byte === questionMark) {
        flush();
        actions.push({ type: "help" });
      } else if (byte === escape) pending.push(escape);
      else pending.push(escape, byte);
    }
    flush();
    return actions;
  };
}
