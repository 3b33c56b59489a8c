import type { VmSummary } from "../store/rows.ts";
import type { VmRecord } from "../vm/record.ts";
import type { Hypervisor, VmObservation } from "../hypervisor.ts";
import type { EngineCore } from "./core.ts";
import { interruptedCreate } from "./inspect.ts";
import { guestExit } from "./guest-exit.ts";
import { type Ended, endedState } from "./reconcile.ts";
import type { ListOptions } from "./types.ts";

/** All VMs, oldest first, each as it is. Writes nothing. Asks the backends only about those whose VMM is found dead. */
export async function listVms(
  core: EngineCore,
  options: ListOptions,
  signal: AbortSignal | undefined,
): Promise<readonly VmSummary[]> {
  const { rows, dead, owned } = core.read((store) => {
    const all = store?.listVms() ?? [];
    return {
      rows: all,
      dead: all.flatMap(({ seq, summary, vmm }) => {
        if (summary.state !== "running" || (vmm !== undefined && core.host.processes.isAlive(vmm)))
          return [];
        return store?.findBySeq(seq) ?? [];
      }),
      owned: new Set(
        all.some(({ summary }) => summary.state === "creating")
          ? store?.listOperations().map(({ seq }) => seq)
          : [],
      ),
    };
  });
  const ended = await findEnded(core, dead, signal);
  const at = core.now();
  const listed: VmSummary[] = [];
  for (const { seq, summary } of rows) {
    if (!hasLabels(summary, options.labels)) continue;
    if (summary.state === "creating") {
      const creating = owned.has(seq) && (await core.host.locks.isHeld(core.lockPath, seq));
      if (!creating)
        listed.push({ ...summary, state: "error", problem: { ...interruptedCreate, at } });
      else if (options.all === true) listed.push(summary);
      continue;
    }
    const end = ended.get(summary.id);
    listed.push(
      end === undefined
        ? summary
        : {
            ...summary,
            state: end.state,
            problem: end.problem ?? null,
            pid: null,
            startedAt: null,
            exitCode: end.exitCode ?? null,
          },
    );
  }
  return listed;
}

async function findEnded(
  core: EngineCore,
  dead: readonly VmRecord[],
  signal: AbortSignal | undefined,
) {
  const ended = new Map<string, Ended & Pick<VmRecord, "exitCode">>();
  for (const [name, vms] of Map.groupBy(dead, ({ backend }) => backend)) {
    const observed = await observe(core, name, vms, signal);
    for (const [index, vm] of vms.entries()) {
      const observation = observed[index];
      const end = observation === undefined ? undefined : endedState(core, vm, observation);
      if (end === undefined) continue;
      const { exitCode } = (await guestExit(core, vm)) ?? {};
      ended.set(vm.id, { ...end, exitCode });
    }
  }
  return ended;
}

/** What a backend sees of VMs whose process is gone. One that is not there, since its plugin is not, hides no other VM: that they are gone is known without it. */
async function observe(
  core: EngineCore,
  name: string,
  vms: readonly VmRecord[],
  signal: AbortSignal | undefined,
): Promise<readonly VmObservation[]> {
  let backend: Hypervisor;
  try {
    backend = await core.backend(name);
  } catch (error) {
    core.logger.warn(
      `the VMs of the backend "${name}" cannot be asked: ${(error as Error).message}`,
    );
    return vms.map(() => ({ vmm: "absent" }));
  }
  return await backend.list(vms, { signal });
}

function hasLabels(summary: VmSummary, labels: ListOptions["labels"]): boolean {
  return Object.entries(labels ?? {}).every(([key, value]) => summary.labels[key] === value);
}
