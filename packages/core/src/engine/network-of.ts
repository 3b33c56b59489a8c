import { SilkError } from "../errors.ts";
import type { OperationContext } from "../hypervisor.ts";
import type { NetworkDefinition, Plumbing } from "../plumbing.ts";
import { parseNetwork } from "../vm/network-name.ts";
import type { Nic, VmConfig, VmRecord } from "../vm/record.ts";
import type { EngineCore } from "./core.ts";

/** How a spec names a network. */
type Named = Pick<VmConfig, "bridge" | "network">;

/**
 * The network that a VM's configuration means: the bridge or the network that it names, or one that needs no name.
 * @throws SilkError `NETWORK_UNNAMED`, `NETWORK_MISSING`
 */
export async function networkOf(core: EngineCore, named: Named): Promise<Plumbing> {
  const { name } = kindOf(core.networks, named);
  return await core.plumbing(name);
}

/**
 * The shortest words for a network, as plugins know it and records have it: `bridge:br0` is the bridge br0, `cni:pods` the network pods.
 * @throws SilkError `NETWORK_MISSING`, `NETWORK_UNNAMED`
 */
export function shortestWords<T extends Named>(networks: readonly NetworkDefinition[], spec: T): T {
  const { network, ...others } = spec;
  // What is no word at all is refused by whoever checks the spec.
  if (typeof network !== "string" || !network.includes(":")) return spec;
  const words = wordsFor(networks, kindOf(networks, { network }), parseNetwork(network).name);
  // Both at once are refused there, too.
  return { ...others, ...(spec.bridge === undefined ? words : { network }) } as T;
}

/** What a spec says to be in a network of a kind. */
export function wordsFor(
  networks: readonly NetworkDefinition[],
  kind: Pick<NetworkDefinition, "name">,
  name: string,
): Named {
  for (const word of ["bridge", "network"] as const) {
    const owner = networks.find(({ namedBy }) => namedBy === word);
    if (owner?.name === kind.name) return { [word]: name };
  }
  return { network: `${kind.name}:${name}` };
}

function kindOf(
  networks: readonly NetworkDefinition[],
  { bridge, network }: Named,
): NetworkDefinition {
  if (bridge !== undefined) return firstNamedBy(networks, "bridge");
  if (network === undefined) return theOneWithoutName(networks);
  const { kind, name } = parseNetwork(network);
  if (kind === undefined) return firstNamedBy(networks, "network");
  const found = networks.find((one) => one.name === kind);
  if (found === undefined)
    throw missing(networks, `no plugin brings networks of the kind "${kind}"`);
  if (name === "" && found.namedBy !== undefined)
    throw new SilkError(`"${network}" names no network`, {
      code: "NETWORK_UNNAMED",
      kind: "invalid",
      hint: `Name one: --network ${kind}:NAME (\`silk network list\` shows them).`,
    });
  return found;
}

function firstNamedBy(
  networks: readonly NetworkDefinition[],
  word: "bridge" | "network",
): NetworkDefinition {
  const found = networks.find(({ namedBy }) => namedBy === word);
  if (found === undefined)
    throw missing(networks, `no plugin brings networks that --${word} could name`);
  return found;
}

function theOneWithoutName(networks: readonly NetworkDefinition[]): NetworkDefinition {
  const [found, ...others] = networks.filter(({ namedBy }) => namedBy === undefined);
  if (found !== undefined && others.length === 0) return found;
  if (networks.length === 0)
    throw missing(networks, "NICs are wanted, and no plugin brings a network");
  const kinds = [found, ...others].flatMap((kind) => kind?.name ?? []);
  const examples =
    kinds.length === 0
      ? "--bridge br0 or --network NAME"
      : kinds.map((kind) => `--network ${kind}:`).join(" or ");
  throw new SilkError("NICs are wanted, and nothing says in which network", {
    code: "NETWORK_UNNAMED",
    kind: "invalid",
    hint: `Name one, ${examples} (\`silk network list\` shows them), or do without NICs: --nics 0`,
  });
}

function missing(networks: readonly NetworkDefinition[], message: string): SilkError {
  const known = networks.map(({ name }) => name);
  return new SilkError(message, {
    code: "NETWORK_MISSING",
    kind: "unsupported",
    hint:
      known.length === 0
        ? "Install a network plugin, or do without NICs: --nics 0"
        : `Install the plugin that does. The kinds are ${known.join(", ")}.`,
    details: { known },
  });
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
