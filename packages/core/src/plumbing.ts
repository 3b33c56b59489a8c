import type { CallOptions, Host } from "./host.ts";
import type { OperationContext } from "./hypervisor.ts";
import type { Logger } from "./logger.ts";
import type { Nic, VmRecord } from "./vm/record.ts";

/** What a network is opened with, once for an engine. */
export interface NetworkContext {
  readonly host: Host;
  readonly logger: Logger;
  /** A random word of this installation: part of every name that is given to things of the host, so that two installations never take each other's. */
  readonly scope: string;
  /** A directory of this network's own, for what it must remember. It need not be there yet. */
  readonly stateDir: string;
}

/** A network that VMs can be given NICs of. */
export interface NetworkView {
  /** Its name among the networks of its kind. */
  readonly name: string;
  /** What it is, in a few words for people: `bridge, 3 ports`, `CNI 1.0.0: bridge, portmap`. */
  readonly description: string;
  /** Facts for programs. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** The host side of NICs, as a network plugin brings it. */
export interface Plumbing extends AsyncDisposable {
  /**
   * Says which NICs a VM will have, each with a MAC and a TAP of its own. Makes nothing: what is planned is written down before it is made.
   * @param vm its config names the bridge (`config.bridge`) or the network ({@link networkName})
   * @param taken NICs that it has already
   * @throws SilkError `NETWORK_NOT_FOUND`, …
   */
  plan(
    vm: Pick<VmRecord, "id" | "name" | "config">,
    count: number,
    taken: readonly Nic[],
    context: OperationContext,
  ): Promise<readonly Nic[]>;
  /**
   * Makes the host side of planned NICs, and gives them as they are: with the address and the MAC that a network has chosen. One that is there already is
   * fine, and one of which a part is gone, after a reboot of the host, is made whole. What it throws leaves nothing of these NICs behind.
   */
  attach(vm: VmRecord, nics: readonly Nic[], context: OperationContext): Promise<readonly Nic[]>;
  /** Removes the host side of NICs. One that is gone already, or was never made, is fine. */
  detach(vm: VmRecord, nics: readonly Nic[], context: OperationContext): Promise<void>;
  /** The networks that there are on this host. Changes nothing. */
  networks(options?: CallOptions): Promise<readonly NetworkView[]>;
}

/** A way to give VMs a network, as its plugin hands it over. */
export interface NetworkDefinition {
  /** `[a-z][a-z0-9-]*`: what `provider` of its NICs says. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /**
   * Which word of a VM's spec names one of its networks: `--bridge` or `--network`. Without its kind (`--network NAME`) a name is that of the first plugin's;
   * `--network KIND:NAME` is one of any kind. Left out where its networks need no name: `--nics 1` is enough then, or `--network KIND:` where several kinds are so.
   */
  readonly namedBy?: "bridge" | "network" | undefined;
  open(context: NetworkContext): Promise<Plumbing>;
}
