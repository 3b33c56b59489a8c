import type { OperationContext } from "./hypervisor.ts";
import type { Nic, VmRecord } from "./vm/record.ts";

/** The host side of NICs, as a network plugin brings it. */
export interface Plumbing {
  /** `[a-z][a-z0-9-]*`: what `provider` of its NICs says. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /** Says which NICs a VM will have, each with a MAC and a TAP of its own. Makes nothing: what is planned is written down before it is made. */
  plan(
    vm: Pick<VmRecord, "id" | "name" | "config">,
    count: number,
    context: OperationContext,
  ): Promise<readonly Nic[]>;
  /** Makes the host side of planned NICs. One that is there already is fine. */
  attach(vm: VmRecord, nics: readonly Nic[], context: OperationContext): Promise<void>;
  /** Removes the host side of NICs. One that is gone already, or was never made, is fine. */
  detach(vm: VmRecord, nics: readonly Nic[], context: OperationContext): Promise<void>;
}
