import {
  type CapabilityToken,
  defineCapability,
  type DeviceKind,
  type DeviceKindDefinition,
  type HotPlug,
} from "@silkvm/core";
import { bindGroup } from "./bind-group.ts";
import { giveBack } from "./give-back.ts";
import type { FormerDriver } from "./former-driver.ts";
import { planDevice } from "./plan-device.ts";

/** A PCI device of the host to hand over to a running VM. */
export interface VfioRequest {
  /** `01:00.0`, `0000:01:00.0`, or its path below `/sys/bus/pci/devices/`. */
  readonly pci: string;
  /** Its id in the VMM. Default: `silk-vfio-` and the address's digits. */
  readonly id?: string | undefined;
  /** Bind it and its group to vfio-pci, until it is detached or its VM ends. Default false: it must be bound already. */
  readonly bind?: boolean | undefined;
  /** Bind it though the host uses it. Default false. */
  readonly force?: boolean | undefined;
}

/** What a record holds of such a device. */
export interface VfioData extends Readonly<Record<string, unknown>> {
  /** Its address: `0000:01:00.0`. */
  readonly pci: string;
  /** Number of its IOMMU group. */
  readonly group: number;
  /** Whose the devices of the group were that silk took from them; empty where it took none. */
  readonly taken: readonly FormerDriver[];
  /** The host's boot that all of this was true in. */
  readonly bootId: string;
}

/** Backends that can hand over a PCI device of the host to a running VM. */
export const vfio: CapabilityToken<HotPlug<VfioData>> = defineCapability(
  "vfio",
  "hand over PCI devices of the host to a running VM",
);

/** PCI devices of the host that are handed over to running VMs. */
export const vfioKind: DeviceKind<VfioRequest, VfioData> = {
  name: "vfio",
  noun: "the PCI device",
  capability: vfio,
  nameOf: ({ pci }) => pci,
  plan: planDevice,
  prepare: (_vm, { data }, context) => bindGroup(data, context),
  release: (vm, { id, data }, context) => giveBack(vm, id, data, context),
};

/** The kind for a plugin to bring, together with others that bring it too. */
export const vfioDevices: DeviceKindDefinition = { name: "vfio", load: async () => vfioKind };
