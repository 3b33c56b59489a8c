import { SilkError } from "../errors.ts";
import type { OperationContext } from "../hypervisor.ts";
import type { Store } from "../store/store.ts";
import type { Nic, VmRecord } from "../vm/record.ts";
import type { ResolvedVmSpec } from "../vm/spec.ts";
import type { EngineCore } from "./core.ts";
import { networkOf } from "./network-of.ts";

/** The NICs that a wanted VM will have, with the MACs that its spec asks for. A network that is named is looked for even where it has none. Makes nothing. */
export async function planNics(
  core: EngineCore,
  spec: Pick<ResolvedVmSpec, "id" | "name" | "config" | "nics" | "macs">,
  context: OperationContext,
): Promise<readonly Nic[]> {
  const { bridge, network } = spec.config;
  if (spec.nics === 0 && bridge === undefined && network === undefined) return [];
  const plumbing = await networkOf(core, spec.config);
  const planned = await plumbing.plan(spec, spec.nics, [], context);
  return planned.map((nic, index) => ({ ...nic, mac: spec.macs[index] ?? nic.mac }));
}

/** Two NICs of one network that have the same MAC take each other's frames. @throws SilkError `MAC_TAKEN` */
export function refuseTakenMacs(
  store: Store,
  { config }: Pick<VmRecord, "config">,
  macs: readonly string[],
): void {
  for (const mac of macs) {
    const other = store
      .findVmsByMac(mac)
      .find((vm) => vm.config.bridge === config.bridge && vm.config.network === config.network);
    if (other === undefined) continue;
    throw new SilkError(`a NIC of the VM ${other.name} has the MAC ${mac} in the same network`, {
      code: "MAC_TAKEN",
      kind: "conflict",
      hint: "Give another one, or leave --mac out: silk chooses one that is free.",
      details: { mac, id: other.id, name: other.name },
    });
  }
}
