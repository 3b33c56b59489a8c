import { type CallOptions, type Host, type Nic, SilkError } from "@silkvm/core";
import { type Link, readLinks } from "../ip/links.ts";
import { runBatch } from "../ip/run-batch.ts";
import { isMultiQueue, tapLines } from "../ip/tap.ts";
import type { PlannedNic } from "../planned-nic.ts";
import type { Attachment } from "./attachment.ts";
import { addressOf } from "./result.ts";

/** A NIC, and the interface that CNI made for it. */
export interface AttachedNic {
  readonly planned: PlannedNic;
  readonly attachment: Attachment;
}

/**
 * Makes the TAPs in the VM's namespace and wires each to its interface: each of the two gets every frame that the other receives.
 * The namespace itself never sees one, so that the guest can have the interface's MAC and addresses as its own.
 * @returns the NICs as the interfaces turned out
 * @throws SilkError `CNI_FAILED` where an interface is not there
 */
export async function wireTaps(
  host: Host,
  nics: readonly AttachedNic[],
  options: CallOptions & { readonly namespace: string },
): Promise<readonly Nic[]> {
  const planned = nics.map((nic) => nic.planned);
  const links = (await readNamespace(host, planned, options)) ?? new Map<string, Link>();
  const ends = nics.map((nic) => ({ ...nic, link: interfaceOf(nic.attachment, links) }));
  await runBatch(host, {
    program: "ip",
    lines: ends.flatMap(({ planned: { nic, alias }, link }) =>
      tapLines(
        { name: nic.tap, alias, multiQueue: isMultiQueue(nic), mtu: link.mtu },
        links.get(nic.tap),
      ),
    ),
    ...options,
  });
  await runBatch(host, {
    program: "tc",
    lines: ends.flatMap(({ planned: { nic }, link }) => [
      ...redirect(link.ifname, nic.tap),
      ...redirect(nic.tap, link.ifname),
    ]),
    ...options,
  });
  return ends.map(({ planned: { nic }, attachment, link }) => {
    const { address: _address, ...rest } = nic;
    const address = addressOf(attachment.result ?? {}, link.ifname);
    return { ...rest, mac: link.address ?? nic.mac, ...(address === undefined ? {} : { address }) };
  });
}

/** What there is of NICs in a namespace. Undefined where there is no such namespace. */
export function readNamespace(
  host: Host,
  nics: readonly PlannedNic[],
  options: CallOptions & { readonly namespace: string },
): Promise<ReadonlyMap<string, Link> | undefined> {
  return readLinks(
    host,
    ["lo", ...nics.flatMap(({ nic, index }) => [interfaceName(index), nic.tap])],
    options,
  );
}

/** The interface that CNI makes for a NIC. */
export function interfaceName(index: number): string {
  return `eth${index}`;
}

function interfaceOf({ ifname, conflist }: Attachment, links: ReadonlyMap<string, Link>): Link {
  const link = links.get(ifname);
  if (link !== undefined) return link;
  throw new SilkError(`the plugins of the network ${conflist.name} made no interface ${ifname}`, {
    code: "CNI_FAILED",
    kind: "failed",
    hint: "The network's first plugin must make an interface: bridge, ptp, macvlan, …",
    details: { network: conflist.name, ifname },
  });
}

/** Can be run again: it replaces what is there. The classifier u32 is in kernels that have no matchall. */
function redirect(from: string, to: string): readonly string[] {
  return [
    `qdisc replace dev ${from} ingress`,
    `filter replace dev ${from} parent ffff: protocol all prio 1 handle 800::800 u32 match u32 0 0 action mirred egress redirect dev ${to}`,
  ];
}
