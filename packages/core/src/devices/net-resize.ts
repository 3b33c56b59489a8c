import { type CapabilityToken, defineCapability } from "../capability.ts";
import type { OperationContext } from "../hypervisor.ts";
import type { Nic, VmRecord } from "../vm/record.ts";
import type { RemoveContext } from "./device-kind.ts";

/** A NIC in the VMM. */
export interface VmmNic {
  /** Its id in the VMM. */
  readonly deviceId: string;
  readonly tap?: string | undefined;
  readonly mac?: string | undefined;
  /** Its address in the guest, where the VMM tells it. */
  readonly bdf?: string | undefined;
}

/** What a backend does to change the NICs of a VM that runs. */
export interface NetResize {
  /**
   * Adds a NIC, whose TAP is there, to the VMM under this id. Where it throws, the NIC may be there all the same: {@link NetResize.isPresent} tells.
   */
  add(
    vm: VmRecord,
    nic: { readonly deviceId: string; readonly nic: Nic },
    context: OperationContext,
  ): Promise<void>;
  /**
   * Asks the guest to let go of a NIC and waits until it has, for a bounded time. One that is gone is fine, and so is one that the guest has been
   * asked for before.
   * @throws SilkError `DEVICE_NOT_RELEASED` where the guest does not let go of it: the same call may succeed later
   */
  remove(vm: VmRecord, deviceId: string, context: RemoveContext): Promise<void>;
  /** The NICs that the VMM has, without those that the guest has been asked to let go of. None where no VMM runs. */
  list(vm: VmRecord, context: OperationContext): Promise<readonly VmmNic[]>;
  /** Whether the VMM has the NIC, also while the guest is letting go of it. False where no VMM runs. */
  isPresent(vm: VmRecord, deviceId: string, context: OperationContext): Promise<boolean>;
}

/** Backends that can change the number of NICs of a VM while it runs. */
export const netResize: CapabilityToken<NetResize> = defineCapability(
  "netResize",
  "change the NICs of a VM that runs",
);
