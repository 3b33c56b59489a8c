import { SilkError } from "../errors.ts";
import type { CallOptions, Host } from "../host.ts";
import type { Console } from "../hypervisor.ts";
import type { VmRecord } from "../vm/record.ts";

/**
 * The console of a VM whose VMM serves it at a Unix socket.
 * @throws SilkError `CONSOLE_UNAVAILABLE`
 */
export async function socketConsole(
  host: Host,
  vm: VmRecord,
  path: string,
  options: CallOptions = {},
): Promise<Console> {
  const stream = await host.connect(path, options).catch(unavailable(vm, path, options));
  return {
    stream,
    path,
    kind: "socket",
    // A serial line knows no size.
    resize: () => {},
    [Symbol.asyncDispose]: () => closed(stream),
  };
}

/**
 * The console of a VM whose VMM has a PTY for it.
 * @throws SilkError `CONSOLE_UNAVAILABLE`
 */
export async function terminalConsole(
  host: Host,
  vm: VmRecord,
  path: string,
  options: CallOptions = {},
): Promise<Console> {
  const terminal = await host.openTerminal(path, options).catch(unavailable(vm, path, options));
  return {
    stream: terminal,
    path,
    kind: "pty",
    resize: (size) => terminal.resize(size),
    [Symbol.asyncDispose]: () => closed(terminal),
  };
}

/** Tells what could not be opened, unless that was given up. */
function unavailable(
  vm: VmRecord,
  path: string,
  { signal }: CallOptions,
): (error: unknown) => never {
  return (error) => {
    signal?.throwIfAborted();
    throw consoleUnavailable(vm, `${path}: ${(error as Error).message}`, error);
  };
}

/** The error for a console that cannot be attached. */
export function consoleUnavailable(vm: VmRecord, why: string, cause?: unknown): SilkError {
  return new SilkError(`the console of ${vm.name} cannot be attached: ${why}`, {
    code: "CONSOLE_UNAVAILABLE",
    kind: "unavailable",
    hint: `Look whether the VM still runs: silk vm inspect ${vm.name}`,
    details: { id: vm.id },
    cause,
  });
}

function closed(stream: Console["stream"]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (stream.closed) resolve();
  else stream.once("close", resolve);
  // What is still to be said about a stream that nobody uses any more is of no interest, and must not end the program.
  stream.on("error", () => {});
  stream.destroy();
  return promise;
}
