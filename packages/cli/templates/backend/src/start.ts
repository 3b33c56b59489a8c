import {
  type LaunchedVmm,
  launchVmm,
  type OperationContext,
  SilkError,
  VmmEnded,
  type VmRecord,
  type VmRuntime,
} from "@silkvm/core";
import { type Machine, places, vmmCommand, vmmVersion } from "./machine.ts";

/** Launches the VMM and waits until the guest runs. Where it throws, nothing of it runs any more. */
export async function start(
  machine: Machine,
  vm: VmRecord,
  context: OperationContext,
): Promise<VmRuntime> {
  const [command, ...args] = vmmCommand(machine, vm);
  const { console } = places(machine, vm);
  context.progress("launching the VMM");
  const launch = {
    program: { command, hint: "Install it, or say where it is." },
    args,
    timeoutMs: machine.startTimeoutMs,
    failure: `the VMM of ${vm.name} has ended`,
    // The guest runs once its console takes connections. Yours would be asked by its API.
    bringUp: async ({ until }: LaunchedVmm) => {
      await until(() => accepts(machine, console));
      return vmmVersion;
    },
    removeSockets: () => machine.host.files.remove(console),
  };
  try {
    return await launchVmm(machine, vm, launch, context);
  } catch (error) {
    if (!(error instanceof VmmEnded)) throw error;
    const { what, log } = error.evidence;
    throw new SilkError(`${what}: ${log.at(-1) ?? "it wrote nothing"}`, {
      code: "VMM_EXITED",
      kind: "failed",
      hint: `silk vm logs ${vm.name} has what it wrote.`,
      details: { log },
      cause: error,
    });
  }
}

async function accepts({ host }: Machine, socketPath: string): Promise<boolean> {
  try {
    const stream = await host.connect(socketPath);
    stream.on("error", () => {}).destroy();
    return true;
  } catch {
    return false;
  }
}
