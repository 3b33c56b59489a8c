import { hideStatusLine, showStatusLine } from "./status-line.ts";
import { say } from "./stderr.ts";
import { renderTransfer, type TransferProgress } from "./transfer.ts";

/** What takes no longer than this is not worth a word. */
const quietMs = 1000;
/** Numbers that change faster cannot be read. */
const redrawMs = 100;

export interface ProgressOptions {
  /** Say nothing: a program reads. */
  readonly silent: boolean;
  /** A line that changes, instead of one line after the other. */
  readonly onTerminal: boolean;
}

/** Tells a waiting person on stderr what is being done, once it has taken longer than a second. */
export class Progress implements Disposable {
  readonly #options: ProgressOptions;
  #timer: NodeJS.Timeout | undefined;
  #message = "";
  #shown = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** What is being done now. The first word starts the clock. */
  readonly tell = (message: string): void => {
    if (this.#options.silent || message === this.#message) return;
    this.#message = message;
    if (this.#shown) this.#show();
    else this.#timer ??= setTimeout(() => this.#show(), quietMs).unref();
  };

  /** The same for what changes many times in a second: without a terminal only its first words are told. */
  readonly count = (doing: string): ((how: string) => void) => {
    this.tell(doing);
    if (!this.#options.onTerminal) return () => {};
    let drawnAt = -Infinity;
    return (how) => {
      const now = performance.now();
      if (now - drawnAt < redrawMs) return;
      drawnAt = now;
      this.tell(`${doing}: ${how}`);
    };
  };

  /** The same for what moves bytes: how far it is, and how fast. */
  readonly transfer = (doing: string): ((progress: TransferProgress) => void) => {
    const tell = this.count(doing);
    const startedAt = performance.now();
    return (progress) => tell(renderTransfer(progress, performance.now() - startedAt));
  };

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    hideStatusLine();
  }

  #show(): void {
    this.#shown = true;
    if (this.#options.onTerminal) showStatusLine(this.#message);
    else say(this.#message);
  }
}
