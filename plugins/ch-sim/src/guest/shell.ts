import type { Port } from "../console/port.ts";

const PROMPT = "silk# ";

/** Runs one line; the answer's lines end without a newline. Undefined for a line that ends the session without an answer. */
export type RunLine = (line: string) => string;

/** A terminal session on a console: echo, a line at a time, a prompt. */
export class Shell {
  readonly #port: Port;
  readonly #run: RunLine;
  #line = "";
  #held: string | undefined = "";

  constructor(port: Port, run: RunLine) {
    this.#port = port;
    this.#run = run;
    port.onInput((bytes) => {
      const text = bytes.toString("utf8");
      if (this.#held === undefined) this.#input(text);
      else this.#held += text;
    });
  }

  /** Reads nothing until it is told to go on, as in a guest that is paused. */
  hold(): void {
    this.#held ??= "";
  }

  /** Reads what came meanwhile, and goes on. */
  goOn(): void {
    const text = this.#held ?? "";
    this.#held = undefined;
    this.#input(text);
  }

  /** Says that the guest is up. */
  greet(greeting: string): void {
    this.#write(`${greeting}\r\n${PROMPT}`);
  }

  /** Puts a line of the guest's own on the console. */
  say(text: string): void {
    this.#write(`${text}\r\n`);
  }

  #input(text: string): void {
    for (const key of text) {
      if (key === "\r" || key === "\n") {
        this.#write("\r\n");
        this.#enter();
      } else if (key === "\u007f" || key === "\b") {
        if (this.#line !== "") this.#write("\b \b");
        this.#line = this.#line.slice(0, -1);
      } else if (key === "\u0003") {
        this.#line = "";
        this.#write(`^C\r\n${PROMPT}`);
      } else if (key >= " ") {
        this.#line += key;
        this.#write(key);
      }
    }
  }

  #enter(): void {
    const line = this.#line.trim();
    this.#line = "";
    const answer = line === "" ? "" : this.#run(line);
    this.#write(`${answer === "" ? "" : `${answer.replaceAll("\n", "\r\n")}\r\n`}${PROMPT}`);
  }

  #write(text: string): void {
    this.#port.write(Buffer.from(text));
  }
}
