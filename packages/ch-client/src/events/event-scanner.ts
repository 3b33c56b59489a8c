import { toEvent, type ChEvent } from "./event.ts";

const newline = 0x0a;
const quote = 0x22;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Finds the events in bytes that come in pieces: JSON objects, pretty-printed or not, with anything between them. An object
 * that is cut off ends where the next one begins: at a `{` that begins a line, which inside an object the VMM always indents.
 * Holds the bytes of one unfinished object, and no more than `maxEventBytes` of it.
 */
export class EventScanner {
  readonly #maxEventBytes: number;
  readonly #pieces: Uint8Array[] = [];
  #heldBytes = 0;
  /** Open braces and brackets; 0 between objects. */
  #depth = 0;
  #inString = false;
  #escaped = false;
  #atLineStart = true;

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes;
  }

  /** Takes the next bytes, and gives the events that end in them. */
  push(chunk: Uint8Array): ChEvent[] {
    const events: ChEvent[] = [];
    let start = 0;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] ?? 0;
      if (byte === openBrace && (this.#depth === 0 || this.#atLineStart)) {
        this.reset();
        this.#depth = 1;
        start = index;
      } else if (this.#depth > 0 && this.#step(byte)) {
        const event = toEvent(this.#take(chunk.subarray(start, index + 1)));
        if (event !== undefined) events.push(event);
      }
      this.#atLineStart = byte === newline;
    }
    if (this.#depth > 0) this.#hold(chunk.slice(start));
    return events;
  }

  /** Forgets an unfinished object. */
  reset(): void {
    this.#pieces.length = 0;
    this.#heldBytes = 0;
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#atLineStart = true;
  }

  /** One byte of an object. True where it is the object's last. */
  #step(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === backslash) this.#escaped = true;
      else if (byte === quote) this.#inString = false;
      return false;
    }
    if (byte === quote) this.#inString = true;
    else if (byte === openBrace || byte === openBracket) this.#depth++;
    else if (byte === closeBrace || byte === closeBracket) this.#depth--;
    return this.#depth === 0;
  }

  #hold(piece: Uint8Array): void {
    if (this.#heldBytes + piece.length > this.#maxEventBytes) return this.reset();
    this.#pieces.push(piece);
    this.#heldBytes += piece.length;
  }

  #take(last: Uint8Array): string {
    const text =
      this.#heldBytes + last.length > this.#maxEventBytes
        ? ""
        : Buffer.concat([...this.#pieces, last]).toString("utf8");
    this.reset();
    return text;
  }
}
