import { type Nic, type OperationContext, SilkError, type VmRecord } from "@silkvm/core";
import type { Link } from "../ip/links.ts";
import { namespaceName, namespacePath } from "../names.ts";
import { type PlannedNic, plannedNics } from "../planned-nic.ts";
import { undoing } from "../undoing.ts";
import { type Attachment, type AttachmentFiles, attachmentFiles } from "./attachment.ts";
import { addChain, type Chain, checkChain, delChain } from "./chain.ts";
import type { Conflist } from "./conflist.ts";
import type { CniContext } from "./context.ts";
import { detachFromCni } from "./detach.ts";
import { findConflist } from "./find-conflists.ts";
import { ensureNamespace } from "./namespace.ts";
import { addressOf } from "./result.ts";
import { interfaceName, readNamespace, wireTap } from "./wire.ts";

/** Puts NICs into a network: the VM's namespace, the interfaces by the network's plugins, the TAPs, and the wires between them. */
export async function attachToCni(
  cni: CniContext,
  vm: VmRecord,
  nics: readonly Nic[],
  context: OperationContext,
): Promise<readonly Nic[]> {
  const { host, scope, stateDir } = cni.network;
  const owner = { scope, vmId: vm.id };
  const planned = plannedNics(owner, nics);
  if (planned.length === 0) return nics;
  const namespace = namespaceName(owner);
  const files = attachmentFiles(host, stateDir, vm.id);
  const { signal } = context;
  return await undoing(
    context,
    async () => {
      const links = await readNamespace(host, planned, { namespace, signal });
      const known = await Promise.all(planned.map(({ index }) => files.read(interfaceName(index))));
      const kept: (Attachment | undefined)[] = [];
      for (const attachment of known) kept.push(await keep(cni, attachment, links, context));
      const conflist = kept.includes(undefined)
        ? await findConflist(host, cni.configDirs, vm.config.network)
        : undefined;
      await ensureNamespace(host, namespace, vm, links !== undefined, { signal });
      const at = { cni, files, namespace, gone: links === undefined };
      const attached: Nic[] = [];
      for (const [position, nic] of planned.entries()) {
        const attachment =
          conflist === undefined
            ? kept[position]
            : (kept[position] ??
              (await renew(at, { nic, conflist, known: known[position] }, context)));
        if (attachment !== undefined)
          attached.push(await wire(cni, nic, attachment, namespace, signal));
      }
      return attached;
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
): Promise<Attachment | undefined> {
  if (known?.result === undefined || links?.has(known.ifname) !== true) return undefined;
  const netnsPath = namespacePath(known.containerId);
  try {
    await checkChain({ host, pluginDirs, attachment: known, netnsPath }, { signal });
    return known;
  } catch (error) {
    signal?.throwIfAborted();
    warn(`the NIC ${known.ifname} is made anew: ${(error as Error).message}`);
    return undefined;
  }
}

/** Gives back what there was, and adds the interface: with the MAC and, where it had one, the address that the guest knows. */
async function renew(
  at: {
    readonly cni: CniContext;
    readonly files: AttachmentFiles;
    readonly namespace: string;
    /** Whether the interface's namespace was gone, and what was remembered is of one that is no more. */
    readonly gone: boolean;
  },
  wanted: {
    readonly nic: PlannedNic;
    readonly conflist: Conflist;
    readonly known: Attachment | undefined;
  },
  { signal, warn }: OperationContext,
): Promise<Attachment> {
  const { host } = at.cni.network;
  const { pluginDirs } = at.cni;
  const netnsPath = namespacePath(at.namespace);
  const { mac, address } = wanted.nic.nic;
  const asked: Attachment = {
    version: 1,
    containerId: at.namespace,
    ifname: interfaceName(wanted.nic.index),
    conflist: wanted.conflist,
    mac,
  };
  if (wanted.known !== undefined) {
    const attachment = wanted.known;
    await delChain(
      { host, pluginDirs, attachment, netnsPath: at.gone ? "" : netnsPath },
      { signal },
    );
  }
  const add = async (attachment: Attachment): Promise<Attachment> => {
    const chain: Chain = { host, pluginDirs, attachment, netnsPath };
    // What is to be undone is written down first.
    await at.files.write(attachment);
    const added = { ...attachment, result: await addChain(chain, { signal }) };
    await at.files.write(added);
    return added;
  };
  if (address === undefined) return await add(asked);
  const same = { ...asked, ip: `${address.ip}/${address.prefix}` };
  try {
    return await add(same);
  } catch (error) {
    signal?.throwIfAborted();
    await delChain({ host, pluginDirs, attachment: same, netnsPath }, { signal });
    const added = await add(asked);
    warn(
      `the NIC ${asked.ifname} could not have its address ${address.ip} again, and has another one: ${(error as Error).message}`,
    );
    return added;
  }
}

async function wire(
  { network: { host } }: CniContext,
  planned: PlannedNic,
  { ifname, conflist, result }: Attachment,
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<Nic> {
  const links = await readNamespace(host, [planned], { namespace, signal });
  const link: Link | undefined = links?.get(ifname);
  if (link === undefined)
    throw new SilkError(`the plugins of the network ${conflist.name} made no interface ${ifname}`, {
      code: "CNI_FAILED",
      kind: "failed",
      hint: "The network's first plugin must make an interface: bridge, ptp, macvlan, …",
      details: { network: conflist.name, ifname },
    });
  const { nic } = planned;
  const tap = links?.get(nic.tap);
  await wireTap(host, planned, { ifname, link, tap }, { namespace, signal });
  const { address: _address, ...rest } = nic;
  const address = addressOf(result ?? {}, ifname);
  return { ...rest, mac: link.address ?? nic.mac, ...(address === undefined ? {} : { address }) };
}
