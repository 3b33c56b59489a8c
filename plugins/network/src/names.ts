import { hash } from "node:crypto";

/** The installation and the VM that something on the host is made for. */
export interface Owner {
  readonly scope: string;
  readonly vmId: string;
}

const hashCharacters = 10;
/** The kernel has room for 15: `sk`, the hash, a dash and two digits. */
const mostIndex = 99;

/**
 * Name of the TAP of a VM's NIC: `sk`, 40 bits of a hash of scope and VM, a dash and the NIC's number. All TAPs of one VM
 * begin alike. That another VM has the same name is unlikely, and found out by the {@link tapAlias}.
 */
export function tapName(owner: Owner, index: number): string {
  const digest = hash("sha256", `${owner.scope}\0${owner.vmId}`, "hex");
  return `sk${digest.slice(0, hashCharacters)}-${index}`;
}

/** The number of the NIC that a TAP was named for; undefined where the VM cannot have given it that name. */
export function nicIndex(owner: Owner, tap: string): number | undefined {
  const index = Number(tap.slice(tap.lastIndexOf("-") + 1));
  return Number.isInteger(index) && index <= mostIndex && tapName(owner, index) === tap
    ? index
    : undefined;
}

/** What a TAP carries as its alias: proof of whose it is. */
export function tapAlias({ scope, vmId }: Owner, index: number): string {
  return `silk:${scope}:${vmId}:${index}`;
}

/** Name of a VM's network namespace, and its container id for CNI. */
export function namespaceName({ scope, vmId }: Owner): string {
  return `silk-${scope}-${vmId}`;
}

/** Where `ip netns` keeps the namespaces that have names. */
export function namespacePath(name: string): string {
  return `/var/run/netns/${name}`;
}
