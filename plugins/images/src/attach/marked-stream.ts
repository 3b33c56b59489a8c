/** What was found in a stream: bytes of the program's, or something that the boot's script has said among them. */
export type Piece =
  | { readonly type: "bytes"; readonly bytes: Buffer }
  | {
      readonly type: "mark";
      readonly mark: string;
      /** Those behind the mark. */
      readonly words: readonly string[];
      /** How long the whole line was. */
      readonly sizeBytes: number;
    };

const lineFeed = 10;

/** Tells the lines that begin with one of some marks, wherever they begin, from all else. Nothing is held back that cannot become one. */
export class MarkedStream {
  readonly #marks: readonly { readonly name: string; readonly bytes: Buffer }[];
  #held: Buffer = Buffer.alloc(0);

  /** @param nonce what no program knows */
  constructor(names: readonly string[], nonce: string) {
    this.#marks = names.map((name) => ({ name, bytes: Buffer.from(`${name} ${nonce}`) }));
  }

  /** Takes what has come. */
  take(bytes: Uint8Array): readonly Piece[] {
    const pieces: Piece[] = [];
    let rest = Buffer.concat([this.#held, bytes]);
    for (;;) {
      const [first] = this.#marks
        .map((mark) => ({ mark, at: rest.indexOf(mark.bytes) }))
        .filter(({ at }) => at !== -1)
        .toSorted((one, other) => one.at - other.at);
      const from = first?.at ?? rest.length - this.#beginning(rest);
      if (from > 0) pieces.push({ type: "bytes", bytes: rest.subarray(0, from) });
      rest = rest.subarray(from);
      const end = first === undefined ? -1 : rest.indexOf(lineFeed);
      if (first === undefined || end === -1) break;
      const { name, bytes: mark } = first.mark;
      const words = rest.toString("latin1", mark.length, end).trim().split(" ");
      pieces.push({ type: "mark", mark: name, words, sizeBytes: end + 1 });
      rest = rest.subarray(end + 1);
    }
    this.#held = rest;
    return pieces;
  }

  /** What was held back, and has become no mark. */
  end(): Buffer {
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    return held;
  }

  /** How many of the last bytes may be the beginning of a mark. */
  #beginning(bytes: Buffer): number {
    const most = Math.min(bytes.length, Math.max(...this.#marks.map((mark) => mark.bytes.length)));
    for (let length = most; length > 0; length--) {
      const tail = bytes.subarray(bytes.length - length);
      if (this.#marks.some((mark) => mark.bytes.subarray(0, length).equals(tail))) return length;
    }
    return 0;
  }
}
