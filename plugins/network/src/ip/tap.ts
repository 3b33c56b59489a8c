import { SilkError } from "@silkvm/core";
import { tapTaken } from "../errors.ts";
import type { Link } from "./links.ts";

/** What a TAP should be. */
export interface WantedTap {
  readonly name: string;
  readonly alias: string;
  /** Whether the VMM opens it more than once: with two or more vCPUs. */
  readonly multiQueue: boolean;
  readonly mtu: number;
  /** The bridge that it is a port of. */
  readonly master?: string | undefined;
}

/** More than one pair of queues: a TAP that is opened by each pair. One pair wants a plain TAP, and is refused by the other kind. */
export function isMultiQueue(nic: { readonly queues: number }): boolean {
  return nic.queues > 2;
}

/**
 * Whether a device is the TAP that was made with this alias. One without an alias, without a bridge and without a user is too:
 * its maker was stopped between making and marking it.
 */
export function isOwnTap(link: Link, alias: string): boolean {
  if (link.linkinfo?.info_kind !== "tun") return false;
  if (link.ifalias !== undefined) return link.ifalias === alias;
  return link.master === undefined && !isInUse(link);
}

/** Whether a process has the TAP open. */
export function isInUse(link: Link): boolean {
  return link.flags.includes("LOWER_UP");
}

/**
 * The lines for `ip -batch` that make a TAP of what is there: none where it is as it should be.
 * @throws SilkError `TAP_TAKEN`, `TAP_BUSY`
 */
export function tapLines(wanted: WantedTap, found: Link | undefined): readonly string[] {
  const { name, alias, multiQueue, mtu, master } = wanted;
  const set = `link set dev ${name} alias ${alias} mtu ${mtu}${master === undefined ? "" : ` master ${master}`} up`;
  const add = `tuntap add dev ${name} mode tap${multiQueue ? " multi_queue vnet_hdr" : ""}`;
  if (found === undefined) return [add, set];
  if (!isOwnTap(found, alias)) throw tapTaken(name, found.ifalias);
  if ((found.linkinfo?.info_data?.multi_queue ?? false) !== multiQueue) {
    if (isInUse(found)) throw tapBusy(name);
    return [`link del dev ${name}`, add, set];
  }
  const right =
    found.ifalias === alias &&
    found.mtu === mtu &&
    found.master === master &&
    found.flags.includes("UP");
  return right ? [] : [set];
}

function tapBusy(tap: string): SilkError {
  return new SilkError(`the TAP ${tap} has another number of queues, and a process has it open`, {
    code: "TAP_BUSY",
    kind: "conflict",
    hint: "Stop the VM, and run the command again.",
    details: { tap },
  });
}
