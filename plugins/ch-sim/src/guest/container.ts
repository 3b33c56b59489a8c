import type { Port } from "../console/port.ts";
import type { GuestDisk } from "./disk-commands.ts";
import type { RunDisk } from "./run-disk.ts";

const SECTOR = 512;
const SAY_AGAIN_MS = 200;
/** No kernel gets to its first program at once. */
const BOOT_MS = 300;
/** From the last words of a kernel until its machine is off. */
const PANIC_MS = 1_000;

/**
 * A container's VM, as the init of a boot kit behaves at the console: it waits for who attaches, runs a program of its own little set, writes down how
 * that ended, and turns the machine off. The programs: `echo WORD…`, `complain WORD…` (to stderr), `exit N`, `env`, `hostname`, `cat`, `bytes N`, `wait` (for the power button), `panic`.
 */
export class Container {
  readonly #port: Port;
  readonly #run: RunDisk;
  readonly #disks: readonly GuestDisk[];
  readonly #powerOff: () => void;
  #nonce: string | undefined;
  #line = "";
  #hasBegun = false;
  #isApart = false;
  /** So much more may be on the way to who has attached. */
  #left = Number.POSITIVE_INFINITY;
  #send: (() => void) | undefined;
  #end: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    port: Port,
    run: RunDisk,
    machine: { readonly disks: readonly GuestDisk[]; readonly powerOff: () => void },
  ) {
    this.#port = port;
    this.#run = run;
    this.#disks = machine.disks;
    this.#powerOff = machine.powerOff;
    port.onInput((bytes) => this.#input(bytes.toString("latin1")));
  }

  boot(): void {
    this.#write("of the kernel's own\r\n");
    if (!this.#run.attach) this.#timer = setTimeout(() => this.#begin(), BOOT_MS);
  }

  /** The program is asked to end, and does. */
  powerButton(): void {
    this.#finish("signal", 15);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #input(text: string): void {
    const lines = (this.#line + text).split("\n");
    this.#line = lines.pop() ?? "";
    for (const line of lines) this.#hear(line.split(" "));
  }

  #hear([word, data = "", window = "0", ...more]: readonly string[]): void {
    if (word === "silk-attach" && this.#nonce === undefined && this.#run.attach) {
      this.#nonce = data;
      this.#write(`silk-begin ${data}\n`);
    } else if (word === "silk-go" && data === this.#nonce && !this.#hasBegun) {
      this.#left = Number(window) === 0 ? Number.POSITIVE_INFINITY : Number(window);
      this.#isApart = more[3] === "1";
      this.#begin();
    } else if (word === "a") {
      this.#left += Number(data);
      this.#send?.();
    }
    if (word === "silk-bye" && data === this.#nonce) this.#end?.();
    else if (this.#hasBegun && this.#run.argv[0] === "cat") this.#read(word, data);
  }

  #read(word: string | undefined, data: string): void {
    const bytes = Buffer.from(data, "base64");
    if (word === "d") this.#write(Buffer.concat([bytes, this.#mark(`more`, bytes.length)]));
    if (word === "e") this.#finish("exit", 0);
  }

  #begin(): void {
    this.#hasBegun = true;
    const [program, ...args] = this.#run.argv;
    switch (program) {
      case "echo":
        this.#write(`${args.join(" ")}\n`);
        return this.#finish("exit", 0);
      case "complain":
        this.#complain(`${args.join(" ")}\n`);
        return this.#finish("exit", 1);
      case "exit":
        return this.#finish("exit", Number(args[0]));
      case "env":
        this.#write(`${this.#run.env.join("\n")}\n`);
        return this.#finish("exit", 0);
      case "hostname":
        this.#write(`${this.#run.hostname}\n`);
        return this.#finish("exit", 0);
      case "bytes":
        return this.#sendAll(Buffer.alloc(Number(args[0]), "0123456789abcdef\n"));
      case "cat":
      case "wait":
        return undefined;
      case "panic":
        this.#write("panic\r\n");
        setTimeout(this.#powerOff, PANIC_MS);
        return undefined;
      default:
        this.#complain(`silk: ${program}: there is no such program in the image's PATH\n`);
        return this.#finish("exit", 127);
    }
  }

  /** Never more than the console holds. */
  #sendAll(bytes: Buffer): void {
    let at = 0;
    this.#send = () => {
      const piece = bytes.subarray(at, at + this.#left);
      at += piece.length;
      this.#left -= piece.length;
      this.#write(piece);
      if (at < bytes.length) return;
      this.#send = undefined;
      this.#finish("exit", 0);
    };
    this.#send();
  }

  #finish(how: "exit" | "signal", number: number): void {
    const disk = this.#disks.find(({ serial }) => serial === "silk-exit");
    disk?.write(0, Buffer.concat([Buffer.from(`${how} ${number}\n`)], SECTOR));
    if (this.#nonce === undefined) return this.#powerOff();
    const say = (): void => this.#write(this.#mark("end", how, number));
    this.#end = () => {
      this.stop();
      this.#powerOff();
    };
    this.#timer = setInterval(say, SAY_AGAIN_MS);
    say();
  }

  #mark(name: string, ...words: readonly (string | number)[]): Buffer {
    return Buffer.from(`silk-${name} ${this.#nonce} ${words.join(" ")}\n`);
  }

  #complain(text: string): void {
    if (this.#isApart) this.#write(this.#mark("err", Buffer.byteLength(text)));
    this.#write(text);
  }

  #write(what: string | Buffer): void {
    this.#port.write(Buffer.from(what));
  }
}
