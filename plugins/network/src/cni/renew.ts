import type { OperationContext } from "@silkvm/core";
import { namespacePath } from "../names.ts";
import type { PlannedNic } from "../planned-nic.ts";
import type { Attachment, AttachmentFiles } from "./attachment.ts";
import { addChain, delChain } from "./chain.ts";
import type { Conflist } from "./conflist.ts";
import type { CniContext } from "./context.ts";
import { interfaceName } from "./wire.ts";

/** Where an interface is to be added. */
export interface Place {
  readonly cni: CniContext;
  readonly files: AttachmentFiles;
  readonly namespace: string;
  /** The namespace is new: what was remembered is of one that is no more. */
  readonly isNew: boolean;
}

/** Gives back what there was, and adds the interface: with the MAC and, where it had one, the address that the guest knows. */
export async function renew(
  { cni, files, namespace, isNew }: Place,
  wanted: {
    readonly nic: PlannedNic;
    readonly conflist: Conflist;
    readonly known: Attachment | undefined;
  },
  { signal, warn }: OperationContext,
): Promise<Attachment> {
  const { host } = cni.network;
  const { pluginDirs } = cni;
  const netnsPath = namespacePath(namespace);
  const { mac, address } = wanted.nic.nic;
  const asked: Attachment = {
    version: 1,
    containerId: namespace,
    ifname: interfaceName(wanted.nic.index),
    conflist: wanted.conflist,
    mac,
  };
  if (wanted.known !== undefined) {
    const old = { attachment: wanted.known, netnsPath: isNew ? "" : netnsPath };
    await delChain({ host, pluginDirs, ...old }, { signal });
  }
  const add = async (attachment: Attachment): Promise<Attachment> => {
    // What is to be undone is written down first.
    await files.write(attachment);
    const result = await addChain({ host, pluginDirs, attachment, netnsPath }, { signal });
    const added = { ...attachment, result };
    await files.write(added);
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
