import { fstatSync } from "node:fs";
import type { Readable } from "node:stream";
import type { Console, Vm, VmEnd } from "@silkvm/core";
import { CliError } from "../cli-error.ts";
import type { OpenEngine } from "../engine.ts";
import { takeInterrupts } from "../interrupt.ts";
import { outputClosed } from "../output/guard.ts";
import { say } from "../output/stderr.ts";

/** A guest whose program has ended turns itself off within this; one whose kernel cannot is ended. */
const powerOffMs = 15_000;
/** A guest boots in seconds; one whose program has not begun by then may never begin it. */
const slowBootMs = 60_000;

export interface ForegroundOptions {
  readonly tty: boolean;
  /** Whether the program reads stdin. */
  readonly interactive: boolean;
  /** Whether a VM that hibernates is booted from its disks. Default false. */
  readonly cold?: boolean | undefined;
  /** Where what the program writes to stdout goes to. */
  readonly output: NodeJS.WriteStream & { readonly fd: number };
}

/**
 * Starts the VM of a container, and lets this program's stdin, stdout and stderr be its program's, until that has ended and the VM with it.
 * SIGINT, SIGTERM and a reader of the output that has gone stop the VM in order; a second signal ends it.
 * @returns how the VM has ended, with an exit code
 * @throws CliError `NO_EXIT_STATUS`
 */
export async function runInForeground(
  open: OpenEngine,
  vm: Vm,
  options: ForegroundOptions,
): Promise<VmEnd & { readonly exitCode: number }> {
  await vm.start({ ...open.change(`starting ${vm.name}`), cold: options.cold, attach: true });
  await using guest = await vm.console(open.call());
  const { attachContainer } = await import("@silkvm/images");
  using cleanup = new DisposableStack();
  const booting = cleanup.use(tellOfBoot(open, vm.name));
  const stopping = stopOnSignals(vm);
  cleanup.use(stopping);
  const attachment = cleanup.use(
    attachContainer(guest, {
      tty: options.tty,
      // What goes to one place comes as it was written: from two streams it would arrive in another order.
      apart: !isOnePlace(options.output, process.stderr),
      ...(options.interactive ? { input: process.stdin } : {}),
      ...(options.tty && process.stdout.isTTY
        ? { size: { rows: process.stdout.rows, columns: process.stdout.columns } }
        : {}),
      onBegin: () => {
        booting[Symbol.dispose]();
        if (options.tty) void useTerminal(guest, options.interactive, cleanup);
      },
    }),
  );
  const ended = vm.wait();
  outputClosed.addEventListener("abort", stopping.stop, { once: true });
  cleanup.defer(() => outputClosed.removeEventListener("abort", stopping.stop));
  await Promise.all([
    copy(attachment.output, options.output, outputClosed),
    copy(attachment.errors, process.stderr, stderrClosed()),
  ]);
  const exit = await attachment.ended;
  booting[Symbol.dispose]();
  if (exit !== undefined) await orForce(vm, ended);
  const end = await ended;
  await stopping.done();
  const exitCode = exit?.exitCode ?? end.exitCode;
  if (!attachment.hasBegun && attachment.early !== "") say(attachment.early.trimEnd());
  if (exitCode === undefined) throw noExitStatus(vm, end, stopping.signal);
  return { ...end, exitCode, exitSignal: exit?.signal ?? end.exitSignal };
}

/** A guest whose kernel has stopped does not say so: whoever waits for its program is told that it does not begin. */
function tellOfBoot(open: OpenEngine, name: string): Disposable {
  open.progress.tell(`booting ${name}`);
  const timer = setTimeout(() => {
    const after = `${slowBootMs / 1000} seconds`;
    open.note(
      `${name} has not begun its program after ${after}. Where its kernel has stopped (too little --memory is one reason) it never will: Ctrl-C stops the VM.`,
    );
  }, slowBootMs);
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      open.progress[Symbol.dispose]();
    },
  };
}

/** Copies what the program writes, no faster than it is taken, and to its end also where nobody takes it any more. */
async function copy(from: Readable, to: NodeJS.WriteStream, gone: AbortSignal): Promise<void> {
  for await (const bytes of from) {
    if (gone.aborted || to.write(bytes as Buffer)) continue;
    await new Promise<void>((resolve) => {
      to.once("drain", resolve);
      gone.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}

/** Aborted once nobody reads stderr any more: no reason to stop what goes to stdout. */
function stderrClosed(): AbortSignal {
  const closed = new AbortController();
  process.stderr.once("error", () => closed.abort());
  return closed.signal;
}

/** Whether two streams are one terminal, one pipe or one file. */
function isOnePlace(one: { readonly fd: number }, other: { readonly fd: number }): boolean {
  const [first, second] = [fstatSync(one.fd), fstatSync(other.fd)];
  return first.dev === second.dev && first.ino === second.ino;
}

async function orForce(vm: Vm, ended: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), powerOffMs);
  const first = await Promise.race([ended, late.promise]);
  clearTimeout(timer);
  if (first === "late") await vm.stop({ force: true });
}

/** Each key goes to the program, and it learns of the window's size. Not before it runs: until then Ctrl-C is for silk. */
async function useTerminal(
  guest: Console,
  interactive: boolean,
  cleanup: DisposableStack,
): Promise<void> {
  const { stdin, stdout } = process;
  if (stdout.isTTY) {
    const resize = (): void => guest.resize({ rows: stdout.rows, columns: stdout.columns });
    resize();
    stdout.on("resize", resize);
    cleanup.defer(() => void stdout.off("resize", resize));
  }
  if (!interactive || !stdin.isTTY) return;
  const [{ rawTerminal }, { TerminalModes }] = await Promise.all([
    import("../console/raw-terminal.ts"),
    import("../console/terminal-modes.ts"),
  ]);
  if (cleanup.disposed) return;
  const modes = new TerminalModes();
  cleanup.use(
    rawTerminal(stdin, () => {
      if (stdout.isTTY) stdout.write(modes.restore());
    }),
  );
}

interface Stopping extends Disposable {
  /** The signal that came first. */
  readonly signal: NodeJS.Signals | undefined;
  readonly stop: () => void;
  /** Waits for what a signal has begun. */
  done(): Promise<void>;
}

function stopOnSignals(vm: Vm): Stopping {
  let signal: NodeJS.Signals | undefined;
  const stops: Promise<void>[] = [];
  const asking = new AbortController();
  const stop = (force: boolean): void => {
    // Who asks the guest holds the VM until it has answered.
    if (force) asking.abort();
    stops.push(
      vm.stop({ force, ...(force ? {} : { signal: asking.signal }) }).catch((error: unknown) => {
        if (asking.signal.aborted && !force) return;
        say(`The VM ${vm.name} cannot be stopped: ${(error as Error).message}`);
      }),
    );
  };
  const interrupts = takeInterrupts((which, count) => {
    signal ??= which;
    if (count === 1) say(`Stopping ${vm.name}; once more ends it at once.`);
    if (count <= 2) stop(count === 2);
    else process.exit(130);
  });
  return {
    get signal() {
      return signal;
    },
    stop: () => stop(false),
    done: async () => void (await Promise.all(stops)),
    [Symbol.dispose]: () => interrupts[Symbol.dispose](),
  };
}

function noExitStatus(vm: Vm, end: VmEnd, signal: NodeJS.Signals | undefined): CliError {
  const details = { id: vm.id, name: vm.name, state: end.state };
  if (signal !== undefined)
    return new CliError(`the VM ${vm.name} was ended before its program was`, {
      code: "ABORTED",
      kind: "aborted",
      details,
    });
  return new CliError(
    `the VM ${vm.name} has ended, and nobody knows how its program did: ${end.problem?.message ?? "it was stopped"}`,
    {
      code: "NO_EXIT_STATUS",
      kind: "failed",
      hint: "What its VMM said is in its log (silk vm logs), as long as the VM is there.",
      details,
    },
  );
}
