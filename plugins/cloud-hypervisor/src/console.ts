import {
  type CallOptions,
  type Console,
  recordedVmm,
  SilkError,
  type VmRecord,
} from "@silkvm/core";
import { openClient } from "./client.ts";
import { fromVmm } from "./from-vmm.ts";
import type { Machine } from "./machine.ts";

/**
 * Attaches to the console of a running VM: the PTY of a directly booted guest, the serial socket of one with firmware.
 * The PTY's path is asked for now: it is another one after each start.
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
  return vm.boot.kind === "direct"
    ? await attachPty(machine, vm, options)
    : await attachSocket(machine, vm, options);
}

async function attachPty(machine: Machine, vm: VmRecord, options: CallOptions): Promise<Console> {
  await using client = openClient(machine, vm);
  const info = await client.vm.info(options).catch((error: unknown) => {
    throw fromVmm(error, `the console of ${vm.name} could not be asked for`);
  });
  const { mode, file: path } = info.config.console;
  if (mode !== "Pty" || path === undefined)
    throw unavailable(vm, `the VMM has no terminal for it (its mode is ${mode})`);
  const terminal = await machine.host.openTerminal(path, options).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    throw unavailable(vm, `${path}: ${(error as Error).message}`, error);
  });
  return {
    stream: terminal,
    path,
    kind: "pty",
    resize: (size) => terminal.resize(size),
    [Symbol.asyncDispose]: () => closed(terminal),
  };
}

async function attachSocket(
  machine: Machine,
  vm: VmRecord,
  options: CallOptions,
): Promise<Console> {
  const path = machine.paths(vm).consoleSocketPath;
  const stream = await machine.host.connect(path, options).catch((error: unknown) => {
    options.signal?.throwIfAborted();
    throw unavailable(vm, `${path}: ${(error as Error).message}`, error);
  });
  return {
    stream,
    path,
    kind: "socket",
    // A serial line knows no size.
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

function unavailable(vm: VmRecord, why: string, cause?: unknown): SilkError {
  return new SilkError(`the console of ${vm.name} cannot be attached: ${why}`, {
    code: "CONSOLE_UNAVAILABLE",
    kind: "unavailable",
    hint: `Look whether the VM still runs: silk vm inspect ${vm.name}`,
    details: { id: vm.id },
    cause,
  });
}
