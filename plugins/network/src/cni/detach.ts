import {
  isSilkError,
  type Nic,
  type OperationContext,
  restated,
  type VmRecord,
} from "@silkvm/core";
import { removeTaps } from "../ip/remove-taps.ts";
import { namespaceName, namespacePath } from "../names.ts";
import { ownNics, type PlannedNic } from "../planned-nic.ts";
import { attachmentFiles } from "./attachment.ts";
import { delChain } from "./chain.ts";
import type { CniContext } from "./context.ts";
import { removeNamespace } from "./namespace.ts";
import { interfaceName, readNamespace } from "./wire.ts";

/** Gives back what CNI gave the NICs, by what was remembered of it, and removes the namespace with the last of them. */
export async function detachFromCni(
  { network: { host, scope, stateDir }, pluginDirs }: CniContext,
  vm: Pick<VmRecord, "id">,
  nics: readonly Nic[],
  { signal }: Pick<OperationContext, "signal">,
): Promise<void> {
  const owner = { scope, vmId: vm.id };
  const own = ownNics(owner, nics);
  const namespace = namespaceName(owner);
  const files = attachmentFiles(host, stateDir, vm.id);
  const there = (await readNamespace(host, own, { namespace, signal })) !== undefined;
  const failures: unknown[] = [];
  // Side by side: each waits for the kernel to let go of a device.
  const giveBack = async ({ index }: PlannedNic): Promise<void> => {
    const ifname = interfaceName(index);
    try {
      const attachment = await files.read(ifname);
      if (attachment === undefined) return;
      const netnsPath = there ? namespacePath(namespace) : "";
      await delChain({ host, pluginDirs, attachment, netnsPath }, { signal });
      await files.remove(ifname);
    } catch (error) {
      failures.push(withWayOut(error, files.path(ifname)));
    }
  };
  await Promise.all(own.map(giveBack));
  signal?.throwIfAborted();
  if (there) {
    const taps = own.map(({ nic, alias }) => ({ name: nic.tap, alias }));
    await removeTaps(host, taps, { namespace, signal });
  }
  if (failures.length > 0) throw failures[0];
  if (!(await files.isEmpty())) return;
  await removeNamespace(host, namespace, { signal });
  await files.clear();
}

/** A VM must be removable also where its network will never be whole again. */
function withWayOut(error: unknown, path: string): unknown {
  if (!isSilkError(error) || error.code === "CNI_STATE_DAMAGED") return error;
  const { details, hint } = error;
  const wayOut = `To go on without, remove ${path}; an address may stay reserved.`;
  return restated(error, {
    details: { ...details, path },
    hint: hint === undefined ? wayOut : `${hint} ${wayOut}`,
    cause: error,
  });
}
