import type { Nic, OperationContext, VmRecord } from "@silkvm/core";
import type { Link } from "../ip/links.ts";
import { namespaceName, namespacePath } from "../names.ts";
import { type PlannedNic, plannedNics } from "../planned-nic.ts";
import { undoing } from "../undoing.ts";
import { type Attachment, attachmentFiles } from "./attachment.ts";
import { checkChain } from "./chain.ts";
import type { CniContext } from "./context.ts";
import { detachFromCni } from "./detach.ts";
import { findConflist } from "./find-conflists.ts";
import { ensureNamespace } from "./namespace.ts";
import { type Place, renew } from "./renew.ts";
import { type AttachedNic, interfaceName, readNamespace, wireTaps } from "./wire.ts";

/** A NIC with what is remembered of it, and where that is whole and can stay, with that as its attachment. */
interface FoundNic {
  readonly planned: PlannedNic;
  readonly known: Attachment | undefined;
  readonly attachment?: Attachment;
}

/** Puts NICs into a network: the VM's namespace, the interfaces by the network's plugins, the TAPs, and the wires between them. */
export async function attachToCni(
  cni: CniContext,
  vm: VmRecord,
  nics: readonly Nic[],
  context: OperationContext,
): Promise<readonly Nic[]> {
  if (nics.length === 0) return nics;
  const { host, scope, stateDir } = cni.network;
  const owner = { scope, vmId: vm.id };
  const planned = plannedNics(owner, nics);
  const namespace = namespaceName(owner);
  const files = attachmentFiles(host, stateDir, vm.id);
  const { signal } = context;
  return await undoing(
    context,
    async () => {
      const links = await readNamespace(host, planned, { namespace, signal });
      const found: FoundNic[] = [];
      for (const nic of planned) {
        const known = await files.read(interfaceName(nic.index));
        found.push({ planned: nic, known, ...(await keep(cni, known, links, context)) });
      }
      // A network that is no more is found out before anything is touched.
      const missing = found.some(({ attachment }) => attachment === undefined);
      const conflist = missing
        ? await findConflist(host, cni.configDirs, vm.config.network)
        : undefined;
      const isNew = links === undefined;
      await ensureNamespace(host, namespace, vm, !isNew, { signal });
      const place: Place = { cni, files, namespace, isNew };
      const attached: AttachedNic[] = [];
      for (const { planned: nic, attachment, known } of found) {
        if (attachment !== undefined) attached.push({ planned: nic, attachment });
        else if (conflist !== undefined)
          attached.push({
            planned: nic,
            attachment: await renew(place, { nic, conflist, known }, context),
          });
      }
      const wired = await wireTaps(host, attached, { namespace, signal });
      for (const [position, { known }] of found.entries()) {
        const [before, after] = [nics[position]?.mac, wired[position]?.mac];
        if (known !== undefined && before !== after)
          context.warn(`the NIC ${known.ifname} had the MAC ${before} and has ${after} now`);
      }
      return wired;
    },
    () => detachFromCni(cni, vm, nics, {}),
  );
}

/** An interface that is there and, as far as its plugins can tell, as it should be. */
async function keep(
  { network: { host }, pluginDirs }: CniContext,
  known: Attachment | undefined,
  links: ReadonlyMap<string, Link> | undefined,
  { signal, warn }: OperationContext,
): Promise<{ readonly attachment?: Attachment }> {
  if (known?.result === undefined || links?.has(known.ifname) !== true) return {};
  const netnsPath = namespacePath(known.containerId);
  try {
    await checkChain({ host, pluginDirs, attachment: known, netnsPath }, { signal });
    return { attachment: known };
  } catch (error) {
    signal?.throwIfAborted();
    warn(`the NIC ${known.ifname} is made anew: ${(error as Error).message}`);
    return {};
  }
}
