import {
  type CallOptions,
  type Console,
  recordedVmm,
  SilkError,
  type VmRecord,
} from "@silkvm/core";
import type { Machine } from "./machine.ts";

/**
 * Attaches to the console of a running VM: a socket, to one at a time.
 * @throws SilkError `VM_NOT_RUNNING`, `CONSOLE_UNAVAILABLE`
 */
export async function console(
  machine: Machine,
  vm: VmRecord,
  options: CallOptions = {},
): Promise<Console> {
  if (recordedVmm(machine, vm) === undefined)
    throw new SilkError(`the VM ${vm.name} does not run`, {
      code: "VM_NOT_RUNNING",
      kind: "conflict",
      hint: `Start it first: silk vm start ${vm.name}`,
      details: { id: vm.id },
    });
  const path = machine.paths(vm).consoleSocketPath;
  const stream = await machine.host.connect(path, options).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    throw new SilkError(
      `the console of ${vm.name} cannot be attached: ${path}: ${(error as Error).message}`,
      {
        code: "CONSOLE_UNAVAILABLE",
        kind: "unavailable",
        hint: `Look whether the VM still runs: silk vm inspect ${vm.name}`,
        details: { id: vm.id },
        cause: error,
      },
    );
  });
  return {
    stream,
    path,
    kind: "socket",
    // QEMU passes no size on.
    resize: () => {},
    [Symbol.asyncDispose]: () => closed(stream),
  };
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
