/**
 * What is wrong with a JSON text, in the words of the real program's parser. A position of 0 means that it is not known yet:
 * the reader fills it in where the real parser does, which is not always where the fault is.
 */
export class JsonError extends Error {
  readonly reason: string;
  line: number;
  column: number;

  constructor(reason: string, line = 0, column = 0) {
    super(reason);
    this.reason = reason;
    this.line = line;
    this.column = column;
  }

  /** The message with its position, as it goes out over the API. */
  describe(): string {
    return this.line === 0
      ? this.reason
      : `${this.reason} at line ${this.line} column ${this.column}`;
  }
}
