import type { Console, Vm, VmEnd } from "@silkvm/core";
import type { ContainerAttachment } from "@silkvm/images";
import { CliError } from "../cli-error.ts";
import type { OpenEngine } from "../engine.ts";
import { takeInterrupts } from "../interrupt.ts";
import { outputClosed } from "../output/guard.ts";
import { say } from "../output/stderr.ts";

/** A guest whose program has ended turns itself off within this; one whose kernel cannot is ended. */
const powerOffMs = 15_000;

export interface ForegroundOptions {
  readonly tty: boolean;
  /** Whether the program reads stdin. */
  readonly interactive: boolean;
  /** Where what the program writes goes to. */
  readonly output: NodeJS.WriteStream;
}

/**
 * Starts the VM of a container, and lets this program's stdin and stdout be its program's, until that has ended and the VM with it.
 * SIGINT, SIGTERM and a reader of the output that has gone stop the VM in order; a second signal ends it.
 * @returns how the VM has ended, with an exit code
 * @throws CliError `NO_EXIT_STATUS`
 */
export async function runInForeground(
  open: OpenEngine,
  vm: Vm,
  options: ForegroundOptions,
): Promise<VmEnd & { readonly exitCode: number }> {
  await vm.start({ ...open.change(`starting ${vm.name}`), attach: true });
  await using guest = await vm.console(open.call());
  open.progress[Symbol.dispose]();
  const { attachContainer } = await import("@silkvm/images");
  using cleanup = new DisposableStack();
  const stopping = stopOnSignals(vm);
  cleanup.use(stopping);
  const attachment = cleanup.use(
    attachContainer(guest, {
      tty: options.tty,
      ...(options.interactive ? { input: process.stdin } : {}),
      ...(options.tty && process.stdout.isTTY
        ? { size: { rows: process.stdout.rows, columns: process.stdout.columns } }
        : {}),
      onBegin: () => {
        if (options.tty) void useTerminal(guest, options.interactive, cleanup);
      },
    }),
  );
  const ended = vm.wait();
  await copy(attachment, options.output, () => stopping.stop());
  const exit = await attachment.ended;
  if (exit !== undefined) await orForce(vm, ended);
  const end = await ended;
  await stopping.done();
  const exitCode = exit?.exitCode ?? end.exitCode;
  if (!attachment.hasBegun && attachment.early !== "") say(attachment.early.trimEnd());
  if (exitCode === undefined) throw noExitStatus(vm, end, stopping.signal);
  return { ...end, exitCode, exitSignal: exit?.signal ?? end.exitSignal };
}

/** Copies what the program writes, no faster than it is taken. */
async function copy(
  { output: from }: ContainerAttachment,
  to: NodeJS.WriteStream,
  onUnread: () => void,
): Promise<void> {
  outputClosed.addEventListener("abort", onUnread, { once: true });
  try {
    for await (const bytes of from) {
      if (outputClosed.aborted || to.write(bytes as Buffer)) continue;
      await new Promise<void>((resolve) => {
        to.once("drain", resolve);
        outputClosed.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  } finally {
    outputClosed.removeEventListener("abort", onUnread);
  }
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
  stop(): void;
  /** Waits for what a signal has begun. */
  done(): Promise<void>;
}

function stopOnSignals(vm: Vm): Stopping {
  let signal: NodeJS.Signals | undefined;
  const stops: Promise<void>[] = [];
  const stop = (force: boolean): void => {
    stops.push(
      vm.stop({ force }).catch((error: unknown) => {
        if (!force) say(`The VM ${vm.name} cannot be stopped: ${(error as Error).message}`);
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
