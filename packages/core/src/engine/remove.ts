import { join } from "node:path";
import { SilkError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import type { Attachment, VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";
import { endVm } from "./end-vm.ts";
import { detachNics } from "./network-of.ts";

/**
 * With the VM's lock held: ends what runs of the VM, removes what it has on the disk, and then its record. Can be run again after it
 * failed: the record goes last. What is undone of a `create` was never told of, so its end is not told either.
 */
export async function removeVm(
  core: EngineCore,
  store: Store,
  vm: VmRecord,
  why: "create" | "clone" | "delete",
): Promise<void> {
  const { attachments } = await endVm(core, vm);
  const held = attachments?.filter(({ state }) => state === "detaching") ?? [];
  if (held.length > 0) throw devicesHeld(vm, held);
  const leaving = vm.leavingNics?.map(({ nic }) => nic) ?? [];
  await detachNics(core, vm, [...vm.nics, ...leaving]);
  const backend = await core.backend(vm.backend);
  await backend.delete(vm, core.context({}, undefined));
  const { dataDir, logPath } = core.paths(vm);
  await core.host.files.remove(dataDir);
  await core.host.files.remove(logPath);
  for (const path of await deviceLogs(core, vm)) await core.host.files.remove(path);
  store.transaction(
    () => {
      store.deleteVm(vm.seq);
      store.endOperation(vm.seq);
      if (why === "delete") store.addEvent(vm, "vm.deleted", {});
    },
    { durable: true },
  );
}

/** What the devices that it had have written, beside its own log. */
async function deviceLogs(core: EngineCore, { id }: VmRecord): Promise<readonly string[]> {
  const names = await core.host.files.list(core.logScopeDir);
  return names.filter((name) => vmOfLog(name) === id).map((name) => join(core.logScopeDir, name));
}

/** The VM that a log belongs to: `<id>.log`, and for a device of it `<id>@<device>.log`. */
export function vmOfLog(name: string): string {
  return name.replace(/(?:@.*)?\.log$/, "");
}

/** What a device holds of the host would be forgotten with the record. */
function devicesHeld(vm: VmRecord, held: readonly Attachment[]): SilkError {
  const ids = held.map(({ id }) => id);
  return new SilkError(
    `the VM ${vm.name} has ended, but what ${ids.join(", ")} holds of the host could not be given back`,
    {
      code: "DEVICE_HELD",
      kind: "conflict",
      hint: "The log above says why. Remove the cause and run the command again.",
      details: { id: vm.id, name: vm.name, deviceIds: ids },
    },
  );
}
