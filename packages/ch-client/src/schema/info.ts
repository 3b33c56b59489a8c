import type { Int64 } from "./common.ts";
import type { ReportedVmConfig } from "./vm-config.ts";

/** Answer of `vmm.ping`. */
export interface VmmPingResponse {
  /** As the build names itself: `v53.0-dirty`. */
  readonly build_version: string;
  /** `53.0.0`. */
  readonly version: string;
  readonly pid: number;
  /** `io_uring`, `kvm`, … */
  readonly features: readonly string[];
}

/** `BreakPoint` exists in VMMs built for debugging only, and not in the OpenAPI file. */
export type VmState = "Created" | "Running" | "Shutdown" | "Paused" | "BreakPoint";

/** Answer of `vm.info`. */
export interface VmInfo {
  readonly config: ReportedVmConfig;
  readonly state: VmState;
  /** Bytes: the configured size, less the balloon, plus what was added. */
  readonly memory_actual_size: number;
  /** What the guest has now, by device id; missing while the VM is only created. A removed device stays until the guest lets go of it. */
  readonly device_tree?: Readonly<Record<string, DeviceNode>>;
}

/** A device in the VMM's tree, with what it is below and above of. */
export interface DeviceNode {
  readonly id: string;
  readonly resources: readonly DeviceResource[];
  /** Id of the node above. Not in the OpenAPI file. */
  readonly parent?: string;
  /** Ids of the nodes below. */
  readonly children: readonly string[];
  /** `0000:00:01.0`, of nodes that are on the PCI bus. */
  readonly pci_bdf?: string;
}

/** What a device occupies: one key, named for the kind. */
export type DeviceResource =
  | { readonly PioAddressRange: { readonly base: number; readonly size: number } }
  | { readonly MmioAddressRange: { readonly base: Int64; readonly size: Int64 } }
  | {
      readonly PciBar: {
        readonly index: number;
        readonly base: Int64;
        readonly size: Int64;
        readonly type_: "Io" | "Mmio32" | "Mmio64";
        readonly prefetchable: boolean;
      };
    }
  | { readonly LegacyIrq: number }
  | {
      readonly MsiIrq: {
        readonly ty: "PciMsi" | "PciMsix" | "GenericMsi";
        readonly base: number;
        readonly size: number;
      };
    }
  | { readonly MacAddress: string }
  | { readonly KvmMemSlot: number };

/** Answer of `vm.counters`: by device id, then by counter. */
export type VmCounters = Readonly<Record<string, Readonly<Record<string, Int64>>>>;

/** Answer of the `vm.add-…` calls on a running VM. */
export interface PciDeviceInfo {
  readonly id: string;
  /** `0000:00:06.0`. */
  readonly bdf: string;
}
