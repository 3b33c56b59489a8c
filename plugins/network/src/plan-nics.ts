import { type NetworkContext, type Nic, SilkError, type VmRecord } from "@silkvm/core";
import { randomMac } from "./mac.ts";
import { nicIndex, type Owner, tapName } from "./names.ts";

const defaultQueueSize = 512;
const mostNics = 32;

/** Chooses the TAPs and MACs of new NICs: the lowest numbers that are free, random MACs that are nobody's. */
export function planNics(
  context: NetworkContext,
  vm: Pick<VmRecord, "id" | "config">,
  count: number,
  taken: readonly Nic[],
  side: Pick<Nic, "provider" | "bridge" | "network" | "netnsPath">,
): readonly Nic[] {
  const owner: Owner = { scope: context.scope, vmId: vm.id };
  const indices = new Set(taken.map(({ tap }) => nicIndex(owner, tap)));
  const macs = new Set(taken.map(({ mac }) => mac.toLowerCase()));
  if (!Number.isInteger(count) || count < 0 || taken.length + count > mostNics)
    throw new SilkError(`${taken.length + count} is no number of NICs`, {
      code: "INVALID_SPEC",
      kind: "invalid",
      hint: `Give 0 to ${mostNics}.`,
    });
  const nics: Nic[] = [];
  for (let index = 0; nics.length < count; index++) {
    if (indices.has(index)) continue;
    const mac = randomMac(context.host.random, macs);
    macs.add(mac);
    nics.push({
      ...side,
      tap: tapName(owner, index),
      mac,
      queues: vm.config.cpus * 2,
      queueSize: vm.config.netQueueSize === 0 ? defaultQueueSize : vm.config.netQueueSize,
    });
  }
  return nics;
}
