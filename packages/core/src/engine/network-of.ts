import { SilkError } from "../errors.ts";
import type { OperationContext } from "../hypervisor.ts";
import type { Plumbing } from "../plumbing.ts";
import type { Nic, VmConfig, VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";

/**
 * The network that a VM's configuration means: the bridge or the CNI network that it names, or one that needs no name.
 * @throws SilkError `NETWORK_UNNAMED`, `NETWORK_MISSING`
 */
export function networkOf(
  core: EngineCore,
  { bridge, network }: Pick<VmConfig, "bridge" | "network">,
): Promise<Plumbing> {
  const word = bridge !== undefined ? "bridge" : network !== undefined ? "network" : undefined;
  const found = core.networks.find(({ namedBy }) => namedBy === word);
  if (found !== undefined) return core.plumbing(found.name);
  if (word === undefined && core.networks.length > 0)
    throw new SilkError("NICs are wanted, and nothing says in which network", {
      code: "NETWORK_UNNAMED",
      kind: "invalid",
      hint: "Name one, --bridge br0 or --network NAME (`silk network list` shows them), or do without NICs: --nics 0",
    });
  throw new SilkError(
    word === undefined
      ? "NICs are wanted, and no plugin brings a network"
      : `no plugin brings networks that --${word} could name`,
    {
      code: "NETWORK_MISSING",
      kind: "unsupported",
      hint: "Install a network plugin, or do without NICs: --nics 0",
      details: { known: core.networks.map(({ name }) => name) },
    },
  );
}

/** Makes the host's side of NICs whole, and gives them as they are. @throws SilkError `NETWORK_MISSING`, and what the network throws */
export async function attachNics(
  core: EngineCore,
  vm: VmRecord,
  nics: readonly Nic[],
  context: OperationContext,
): Promise<readonly Nic[]> {
  const attached = new Map<string, Nic>();
  for (const [provider, own] of Map.groupBy(nics, (nic) => nic.provider))
    for (const nic of await (await core.plumbing(provider)).attach(vm, own, context))
      attached.set(nic.tap, nic);
  return nics.map((nic) => attached.get(nic.tap) ?? nic);
}

/** Removes the host's side of NICs, whatever the caller wants by now. What is gone already is fine. */
export async function detachNics(
  core: EngineCore,
  vm: VmRecord,
  nics: readonly Nic[],
): Promise<void> {
  for (const [provider, own] of Map.groupBy(nics, (nic) => nic.provider))
    await (await core.plumbing(provider)).detach(vm, own, core.context({}, undefined));
}

/** With the VM's lock held, its VMM dead: removes the host's side of NICs that it no longer has. What cannot be removed now stays in the record. */
export async function releaseNics(core: EngineCore, vm: VmRecord): Promise<VmRecord> {
  const { leavingNics = [], ...rest } = vm;
  if (leavingNics.length === 0) return rest;
  try {
    await detachNics(
      core,
      vm,
      leavingNics.map(({ nic }) => nic),
    );
    return rest;
  } catch (error) {
    core.logger.warn(
      `what is left of NICs of ${vm.name} cannot be removed yet: ${(error as Error).message}`,
    );
    return vm;
  }
}
