/** A range of addresses that a device owns, in the form of the API. */
export type Resource =
  | {
      readonly PciBar: {
        readonly index: number;
        readonly base: number;
        readonly size: number;
        readonly type_: "Mmio32" | "Mmio64";
        readonly prefetchable: boolean;
      };
    }
  | { readonly MmioAddressRange: { readonly base: number; readonly size: number } };

/** One device, in the form of the API. */
export interface DeviceNode {
  readonly id: string;
  resources: readonly Resource[];
  parent?: string;
  children: readonly string[];
  /** Segment, bus, device and function, such as `0000:00:02.0`. */
  pci_bdf?: string;
}

/** The devices of a VM by id. A virtio device has a PCI device as its parent, which bears its slot and its addresses. */
export type DeviceTree = Map<string, DeviceNode>;

/** A node without anything. */
export function deviceNode(id: string): DeviceNode {
  return { id, resources: [], children: [] };
}

/** The tree with the keys of each node in the order of the API. */
export function arrangedTree(tree: DeviceTree): Map<string, DeviceNode> {
  return new Map(
    [...tree].map(([id, { resources, parent, children, pci_bdf }]) => [
      id,
      {
        id,
        resources,
        ...(parent === undefined ? {} : { parent }),
        children,
        ...(pci_bdf === undefined ? {} : { pci_bdf }),
      },
    ]),
  );
}

/** The address of a slot on the first bus of a segment. */
export function formatBdf(segment: number, slot: number): string {
  return `${segment.toString(16).padStart(4, "0")}:00:${slot.toString(16).padStart(2, "0")}.0`;
}

/** Segment and slot of an address. */
export function parseBdf(bdf: string): { readonly segment: number; readonly slot: number } {
  const [segment = "0", , rest = "0"] = bdf.split(":");
  return { segment: Number.parseInt(segment, 16), slot: Number.parseInt(rest, 16) };
}
