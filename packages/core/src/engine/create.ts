import { SilkError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import { checkDisks } from "../vm/disks.ts";
import type { VmRecord } from "../vm/record.ts";
import { draftSpec } from "../vm/resolve-spec.ts";
import type { VmSpec } from "../vm/spec.ts";
import type { EngineCore } from "./core.ts";
import { specWithImage, writeSeed } from "./images.ts";
import { lockVm } from "./locked.ts";
import { attachNics, shortestWords } from "./network-of.ts";
import { planNics, refuseTakenMacs } from "./plan-nics.ts";
import { planRecord } from "./plan-record.ts";
import { recoverAll } from "./recover.ts";
import { refuseOwnDisks } from "./refuse-own-disks.ts";
import { removeVm } from "./remove.ts";
import type { CreateOptions } from "./types.ts";

/** Makes a VM: reserves its record, makes its disks, commits. Anything that fails leaves nothing behind. */
export async function createVm(
  core: EngineCore,
  input: VmSpec,
  options: CreateOptions,
  signal: AbortSignal | undefined,
): Promise<VmRecord> {
  const choice = input.backend === undefined ? await core.defaultBackend() : undefined;
  const defaults = { backend: choice?.name ?? "", cwd: core.cwd };
  const draft = draftSpec(shortestWords(core.networks, input), core.host, defaults);
  core.observer?.subject(draft);
  const backend = await core.backend(draft.backend);
  const store = await core.store();
  await recoverAll(core, store);
  refuseClash(store, draft);
  await refuseOwnDisks(core, draft.disks);
  const context = core.context(options, signal);
  if (choice?.isSubstitute === true)
    context.warn(`${draft.name} gets the backend ${choice.name}: ${choice.reason}`);
  await using completed = await specWithImage(core, draft, backend, context);
  const labels = await core.hooks.beforeLabelled(
    "vm:before-create",
    completed.spec.labels,
    (known) => ({ spec: { ...completed.spec, labels: known } }),
    signal,
  );
  const spec = { ...completed.spec, labels };
  const { disks } = await backend.plan(spec, context);
  checkDisks(disks);
  const nics = await planNics(core, spec, context);

  const seq = store.nextSeq();
  await using _lock = await lockVm(core, store, seq, options, signal);
  let reserved = planRecord(spec, { disks, nics }, seq, store.now());
  store.transaction(() => {
    refuseClash(store, spec);
    refuseTakenMacs(store, reserved, spec.macs);
    store.insertVm(reserved);
    store.beginOperation(reserved, "create");
  });
  try {
    await core.host.files.mkdir(core.paths(reserved).dataDir, { mode: 0o700 });
    reserved = { ...reserved, nics: await attachNics(core, reserved, nics, context) };
    await writeSeed(core, reserved, context);
    await backend.create(reserved, context);
    signal?.throwIfAborted();
    const created: VmRecord = { ...reserved, state: "created", updatedAt: store.now() };
    store.transaction(
      () => {
        store.updateVm(created);
        store.endOperation(seq);
        store.addEvent(created, "vm.created", {});
      },
      { durable: true },
    );
    await core.hooks.after("vm:after-create", { vm: created }, context.warn);
    return created;
  } catch (error) {
    await removeVm(core, store, reserved, "create").catch((left: unknown) => {
      context.warn(
        `what was made of the VM could not be removed yet, the next command will: ${(left as Error).message}`,
      );
    });
    throw error;
  }
}

/** Ids and names share one space: a ref must mean one VM. */
export function refuseClash(
  store: Store,
  spec: { readonly id: string; readonly name: string },
): void {
  for (const [what, value] of [
    ["id", spec.id],
    ["name", spec.name],
  ] as const) {
    const other = store.findById(value) ?? store.findByName(value);
    if (other === undefined) continue;
    throw new SilkError(
      `the ${what} "${value}" is taken by the VM ${other.name} (${other.id}), which is ${other.state}`,
      {
        code: "VM_EXISTS",
        kind: "conflict",
        hint: `Choose another ${what}, or remove that VM: silk vm rm ${other.name}`,
        details: { [what]: value, id: other.id, name: other.name, state: other.state },
      },
    );
  }
}
