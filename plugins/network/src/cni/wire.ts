import type { CallOptions, Host } from "@silkvm/core";
import { type Link, readLinks } from "../ip/links.ts";
import { runBatch } from "../ip/run-batch.ts";
import { isMultiQueue, tapLines } from "../ip/tap.ts";
import type { PlannedNic } from "../planned-nic.ts";

/**
 * Makes the TAP in the VM's namespace and wires it to the interface that CNI made there: each gets every frame that the other
 * receives. The namespace itself never sees one, so that the guest can have the interface's MAC and addresses as its own.
 */
export async function wireTap(
  host: Host,
  { nic, alias }: PlannedNic,
  to: { readonly ifname: string; readonly link: Link; readonly tap: Link | undefined },
  { namespace, signal }: CallOptions & { readonly namespace: string },
): Promise<void> {
  const wanted = { name: nic.tap, alias, multiQueue: isMultiQueue(nic), mtu: to.link.mtu };
  const lines = tapLines(wanted, to.tap);
  await runBatch(host, { program: "ip", namespace, lines, signal });
  await runBatch(host, {
    program: "tc",
    namespace,
    lines: [...redirect(to.ifname, nic.tap), ...redirect(nic.tap, to.ifname)],
    signal,
  });
}

/** Can be run again: it replaces what is there. The classifier u32 is in kernels that have no matchall. */
function redirect(from: string, to: string): readonly string[] {
  return [
    `qdisc replace dev ${from} ingress`,
    `filter replace dev ${from} parent ffff: protocol all prio 1 handle 800::800 u32 match u32 0 0 action mirred egress redirect dev ${to}`,
  ];
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
