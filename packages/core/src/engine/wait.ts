import { resolveVm } from "../refs.ts";
import type { VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { withVm } from "./locked.ts";
import type { VmEnd } from "./types.ts";

/** A VM that is brought to another VMM, or has none yet, is looked at again so soon. */
const pollMs = 200;
/** A wait for a process is cut into pieces, none of which is the end of the wait. */
const pieceMs = 3_600_000;

/** Waits until a VM does not run any more, and writes down that it has ended, if nobody else has. */
export async function waitForEnd(
  core: EngineCore,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<VmEnd> {
  const until = core.until(signal);
  const { id } = core.read((store) => resolveVm(store, ref));
  for (;;) {
    const vm = core.read((store) => resolveVm(store, id));
    if (vm.state !== "running" && vm.state !== "creating") return endOf(vm);
    const { runtime } = vm;
    if (runtime === undefined) {
      await core.host.clock.delay(pollMs, { signal: until });
      continue;
    }
    const timeoutMs = pieceMs;
    if (!(await core.host.processes.waitForExit(runtime.vmm, { signal: until, timeoutMs })))
      continue;
    // Whoever stops it, saves it or takes it back to a snapshot holds its lock until that is done.
    const now = await withVm(core, id, {}, until, async ({ vm: held }) => held);
    if (now.state !== "running") return endOf(now);
  }
}

function endOf({ id, name, state, exitCode, exitSignal, problem }: VmRecord): VmEnd {
  return { id, name, state, exitCode, exitSignal, problem };
}
