import { randomBytes } from "node:crypto";

import type { Consoles } from "../console/consoles.ts";
import { Container } from "./container.ts";
import { diskCommand, type GuestDisk } from "./disk-commands.ts";
import type { GuestMemoryState } from "./memory-page.ts";
import { readRunDisk } from "./run-disk.ts";
import type { GuestSettings } from "./settings.ts";
import { Shell } from "./shell.ts";

/** What the guest can ask of the machine it runs on. */
export interface Machine {
  /** The guest has shut down. */
  powerOff(): void;
  /** The guest asks for a reset. */
  reset(): void;
  /** The disks that it sees. */
  disks(): readonly GuestDisk[];
  /** The kernel's command line. */
  commandLine(): string;
  /** How many CPUs it sees. */
  cpus(): number;
}

const TICK_MS = 100;
const HELP =
  "commands: help echo counter nonce flood set get uptime hostname disks read write noack cpus cmdline poweroff reboot crash";

/** The simulated guest: a shell on each console, a counter, and a memory that a snapshot keeps. */
export class Guest {
  readonly #settings: GuestSettings;
  readonly #machine: Machine;
  readonly #shells: Shell[] = [];
  /** The consoles on which the guest speaks without being asked: those that its command line names, if it names any. */
  readonly #systemConsoles: Shell[] = [];
  readonly #values: Map<string, string>;
  /** What it runs in the place of a shell on its console. */
  readonly #container: Container | undefined;
  readonly #nonce: string;
  #ranMs: number;
  #runningSince: number | undefined;
  #timers = new Set<NodeJS.Timeout>();
  /** What it keeps though it was asked to let it go; undefined where it lets everything go. */
  #kept: (() => void)[] | undefined;

  constructor(
    settings: GuestSettings,
    machine: Machine,
    consoles: Consoles,
    memory: GuestMemoryState | undefined,
  ) {
    this.#settings = settings;
    this.#machine = machine;
    this.#nonce = memory?.nonce ?? randomBytes(8).toString("hex");
    this.#ranMs = memory?.ranMs ?? 0;
    this.#values = new Map(Object.entries(memory?.values ?? {}));
    const run = memory === undefined ? readRunDisk(machine.disks()) : undefined;
    this.#container =
      run === undefined || consoles.console === undefined
        ? undefined
        : new Container(consoles.console, run, {
            disks: machine.disks(),
            powerOff: () => this.#later(0, () => machine.powerOff()),
          });
    const named = [...machine.commandLine().matchAll(/(?<!\S)console=([a-z]+\d*)/gi)].map(
      ([, name]) => name,
    );
    for (const [name, port] of [
      ["hvc0", consoles.console],
      ["ttyS0", consoles.serial],
    ] as const) {
      if (port === undefined || (name === "hvc0" && this.#container !== undefined)) continue;
      const shell = new Shell(port, (line) => this.#run(line));
      this.#shells.push(shell);
      if (named.length === 0 || named.includes(name)) this.#systemConsoles.push(shell);
    }
  }

  /** Starts from nothing, with a greeting. */
  boot(): void {
    this.resume();
    for (const shell of this.#systemConsoles) shell.greet("silk guest ready");
    this.#container?.boot();
    const { atBoot } = this.#settings;
    if (atBoot === "poweroff") this.#later(0, () => this.#machine.powerOff());
    if (atBoot === "reboot") this.#later(0, () => this.#machine.reset());
    if (atBoot === "crash") this.#later(0, () => this.#machine.powerOff());
  }

  /** Goes on from where it was. */
  resume(): void {
    this.#runningSince ??= performance.now();
    for (const shell of this.#shells) shell.goOn();
  }

  /** Stops; what was under way waits too. */
  pause(): void {
    this.#ranMs = this.#ran();
    this.#runningSince = undefined;
    for (const shell of this.#shells) shell.hold();
  }

  /** Ends for good. */
  stop(): void {
    this.pause();
    this.#container?.stop();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** What its memory holds. */
  memory(): GuestMemoryState {
    return { nonce: this.#nonce, ranMs: this.#ran(), values: Object.fromEntries(this.#values) };
  }

  /** Somebody pressed the power button. */
  powerButton(): void {
    const { powerButton, shutdownMs } = this.#settings;
    if (powerButton === "ignore") return;
    if (this.#container !== undefined) {
      this.#container.powerButton();
      return;
    }
    for (const shell of this.#systemConsoles)
      shell.say(powerButton === "shutdown" ? "powering off" : "rebooting");
    this.#later(shutdownMs, () =>
      powerButton === "shutdown" ? this.#machine.powerOff() : this.#machine.reset(),
    );
  }

  /** The machine raised a non-maskable interrupt. */
  nmi(): void {
    if (this.#settings.nmi === "reboot") this.#later(0, () => this.#machine.reset());
  }

  /** Asks the guest to let something go; `done` is called once it has, if ever. */
  release(what: "device" | "vcpu" | "memory", done: () => void): void {
    if (what === "device" && this.#kept !== undefined) {
      this.#kept.push(done);
      return;
    }
    const { ackRemoval, ackVcpus, ackMemory } = this.#settings;
    const delay = { device: ackRemoval, vcpu: ackVcpus, memory: ackMemory }[what];
    if (delay !== "never") this.#later(delay, done);
  }

  /** Whether it keeps devices that it is asked to let go; "off" also lets go of those that it kept. */
  #setKeeping(word: string | undefined): string {
    if (word !== "on" && word !== "off") return "error use: on|off";
    const kept = this.#kept ?? [];
    this.#kept = word === "on" ? kept : undefined;
    if (word === "off") for (const done of kept) this.#later(0, done);
    return "ok";
  }

  /** A guest that is paused does nothing until it goes on. */
  #later(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (this.#runningSince === undefined) this.#later(TICK_MS, action);
      else action();
    }, ms);
    this.#timers.add(timer);
  }

  #ran(): number {
    return (
      this.#ranMs +
      (this.#runningSince === undefined ? 0 : Math.round(performance.now() - this.#runningSince))
    );
  }

  #run(line: string): string {
    const [command = "", ...words] = line.split(/\s+/);
    switch (command) {
      case "help":
        return HELP;
      case "echo":
        return words.join(" ");
      case "counter":
        return String(Math.floor(this.#ran() / TICK_MS));
      case "flood":
        for (const shell of this.#systemConsoles) shell.say(flood(Number(words[0] ?? 1000)));
        return "";
      case "nonce":
        return this.#nonce;
      case "set":
        this.#values.set(words[0] ?? "", words.slice(1).join(" "));
        return "";
      case "get":
        return this.#values.get(words[0] ?? "") ?? "";
      case "uptime":
        return `${(this.#ran() / 1000).toFixed(1)} s`;
      case "hostname":
        return this.#settings.hostname;
      case "disks":
        return this.#machine
          .disks()
          .map((disk) => `${disk.id} ${disk.bytes} ${disk.serial ?? "-"}`)
          .join("\n");
      case "read":
      case "write":
        return diskCommand(command, this.#machine.disks(), words);
      case "noack":
        return this.#setKeeping(words[0]);
      case "cpus":
        return String(this.#machine.cpus());
      case "cmdline":
        return this.#machine.commandLine();
      case "poweroff":
        this.#later(0, () => this.#machine.powerOff());
        return "powering off";
      case "reboot":
        this.#later(0, () => this.#machine.reset());
        return "rebooting";
      case "crash":
        this.#later(0, () => this.#machine.powerOff());
        return "panic";
      default:
        return `${command}: not found`;
    }
  }
}

/** So many bytes of output, and a last word. */
function flood(bytes: number): string {
  return `${"x".repeat(79)}\r\n`.repeat(Math.ceil(bytes / 81)) + "flooded";
}
