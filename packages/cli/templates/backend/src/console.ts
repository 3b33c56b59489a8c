import { once } from "node:events";
import {
  type CallOptions,
  type Console,
  recordedVmm,
  SilkError,
  type VmRecord,
} from "@silkvm/core";
import { type Machine, places } from "./machine.ts";

/** Attaches to the console of a running VM: here a Unix socket of the VMM's. */
export async function openConsole(
  machine: Machine,
  vm: VmRecord,
  options?: CallOptions,
): Promise<Console> {
  if (recordedVmm(machine, vm) === undefined)
    throw new SilkError(`the VM ${vm.name} does not run`, {
      code: "VM_NOT_RUNNING",
      kind: "conflict",
      hint: `Start it first: silk vm start ${vm.name}`,
    });
  const path = places(machine, vm).console;
  const stream = await machine.host.connect(path, options);
  return {
    stream,
    path,
    kind: "socket",
    // A serial line knows no size.
    resize: () => {},
    [Symbol.asyncDispose]: async () => {
      if (stream.closed) return;
      stream.on("error", () => {});
      stream.destroy();
      await once(stream, "close");
    },
  };
}
