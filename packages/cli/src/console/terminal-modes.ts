/** Modes that a guest's programs switch on and that would stay on in the user's terminal; each with how it is switched off. */
const resets: Readonly<Record<string, string>> = {
  1: "\u001b[?1l", // cursor keys send other sequences
  9: "\u001b[?9l", // mouse
  47: "\u001b[?47l", // other screen
  1000: "\u001b[?1000l",
  1002: "\u001b[?1002l",
  1003: "\u001b[?1003l",
  1004: "\u001b[?1004l", // tells when the window is entered and left
  1005: "\u001b[?1005l",
  1006: "\u001b[?1006l",
  1015: "\u001b[?1015l",
  1047: "\u001b[?1047l",
  1049: "\u001b[?1049l",
  2004: "\u001b[?2004l", // pasted text comes in brackets
};
/** Modes that are on by default. */
const defaultsOn: Readonly<Record<string, string>> = {
  7: "\u001b[?7h", // long lines wrap
  25: "\u001b[?25h", // the cursor shows
};

// oxlint-disable-next-line no-control-regex
const sequence = /\u001b(?:\[\?([\d;]{1,32})([hl])|([=>])|(c))/g;
/** Long enough for the beginning of a sequence whose end comes in the next piece. */
const keptCharacters = 40;

/** Watches what a guest writes to the terminal, so that it can be given back as it was. */
export class TerminalModes {
  readonly #changed = new Map<string, string>();
  #tail = "";
  #wroteAnything = false;

  /** Takes a piece of what the guest wrote. */
  watch(bytes: Uint8Array): void {
    this.#wroteAnything ||= bytes.length > 0;
    const text = this.#tail + Buffer.from(bytes).toString("latin1");
    let end = 0;
    for (const match of text.matchAll(sequence)) {
      end = match.index + match[0].length;
      const [, modes, onOff, keypad, reset] = match;
      if (reset !== undefined) this.#changed.clear();
      else if (keypad !== undefined) this.#set("keypad", keypad === "=", "\u001b>");
      else for (const mode of (modes ?? "").split(";")) this.#setMode(mode, onOff === "h");
    }
    this.#tail = text.slice(Math.max(end, text.length - keptCharacters));
  }

  /** What must be written to the terminal for it to be as before. */
  restore(): string {
    return this.#wroteAnything ? [...this.#changed.values(), "\u001b[0m"].join("") : "";
  }

  #setMode(mode: string, on: boolean): void {
    const off = resets[mode];
    if (off !== undefined) this.#set(mode, on, off);
    const back = defaultsOn[mode];
    if (back !== undefined) this.#set(mode, !on, back);
  }

  #set(name: string, changed: boolean, restore: string): void {
    if (changed) this.#changed.set(name, restore);
    else this.#changed.delete(name);
  }
}
