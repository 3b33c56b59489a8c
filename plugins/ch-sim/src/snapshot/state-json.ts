import type { VmConfig } from "../config/types.ts";
import type { DeviceManager } from "../devices/device-manager.ts";
import { arrangedTree } from "../devices/device-tree.ts";
import { toJson } from "../json/to-json.ts";
import type { MemoryState } from "../memory/memory-manager.ts";
import { commonCpuid } from "./cpuid.ts";

/** One component's part of a snapshot, in the form of state.json. */
interface Component {
  readonly snapshots: Readonly<Record<string, Component>>;
  readonly snapshot_data: { readonly state: string } | null;
}

function leaf(state: unknown, snapshots: Readonly<Record<string, Component>> = {}): Component {
  return { snapshots: sorted(snapshots), snapshot_data: { state: toJson(state) } };
}

function sorted<T>(entries: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);

/** The text of state.json for a VM that is paused. */
export function stateJson(
  config: VmConfig,
  cpus: number,
  devices: DeviceManager,
  memory: MemoryState,
): string {
  const root = leaf(
    { clock: { Kvm: zeros(48) }, common_cpuid: commonCpuid },
    {
      "cpu-manager": {
        snapshots: sorted(
          Object.fromEntries(Array.from({ length: cpus }, (_, id) => [String(id), vcpu(id)])),
        ),
        snapshot_data: null,
      },
      "device-manager": deviceManager(devices, config),
      "memory-manager": leaf(memoryManager(memory)),
    },
  );
  return toJson(root);
}

function vcpu(id: number): Component {
  return leaf({
    Kvm: {
      cpuid: commonCpuid,
      msrs: [
        { index: 372, data: 0 },
        { index: 16, data: 2n ** 63n + BigInt(id) },
      ],
      vcpu_events: zeros(64),
      regs: zeros(144),
      sregs: zeros(312),
      fpu: {
        fpr: Array.from({ length: 8 }, () => zeros(16)),
        fcw: 895,
        fsw: 0,
        ftwx: 0,
        last_opcode: 0,
        last_ip: 0,
        last_dp: 0,
        xmm: Array.from({ length: 16 }, () => zeros(16)),
        mxcsr: 0,
      },
      lapic_state: { regs: zeros(1024) },
      xsave: { region: zeros(1024) },
      xcrs: zeros(392),
      mp_state: [id === 0 ? 0 : 1, 0, 0, 0],
      tsc_khz: 2_445_430,
      nested_state: null,
      hyperv_synic: false,
    },
  });
}

function deviceManager(devices: DeviceManager, config: VmConfig): Component {
  const snapshots: Record<string, Component> = {
    __ioapic: leaf({
      id_reg: 0,
      reg_sel: 0,
      reg_entries: Array.from({ length: 24 }, () => 65_536),
      used_entries: Array.from({ length: 24 }, () => false),
      apic_address: 4_276_092_928,
    }),
  };
  if (config.serial.mode !== "Off") {
    snapshots["__serial"] = leaf({
      interrupt_enable: 0,
      interrupt_identification: 1,
      line_control: 3,
      line_status: 96,
      modem_control: 8,
      modem_status: 176,
      scratch: 0,
      baud_divisor: 12,
      in_buffer: [],
    });
  }
  for (const device of devices.virtioDevices) {
    snapshots[device.id] = leaf(device.state());
    const id = `_virtio-pci-${device.id}`;
    const bar = devices.tree
      .get(id)
      ?.resources.map((resource) => ("PciBar" in resource ? resource.PciBar : undefined))[0];
    snapshots[id] = virtioPci(queueSizes(device.pci), bar?.base ?? 0, bar?.type_ === "Mmio32");
  }
  const { tree, nextNumber } = devices.state();
  return leaf({ device_tree: arrangedTree(tree), device_id_cnt: nextNumber }, snapshots);
}

function queueSizes(pci: object): number[] {
  const { num_queues: count = 1, queue_size: size = 128 } = pci as {
    num_queues?: number;
    queue_size?: number;
  };
  return Array.from({ length: count }, () => size);
}

function virtioPci(queues: readonly number[], base: number, narrow: boolean): Component {
  const registers = zeros(1024);
  const entry = { msg_addr_lo: 0, msg_addr_hi: 0, msg_data: 0, vector_ctl: 1 };
  const type = narrow ? "Memory32BitRegion" : "Memory64BitRegion";
  return leaf(
    {
      device_activated: false,
      queues: queues.map((size) => ({
        max_size: size,
        size,
        ready: false,
        desc_table: 0,
        avail_ring: 0,
        used_ring: 0,
      })),
      interrupt_status: 0,
      cap_pci_cfg_offset: 134,
      cap_pci_cfg: zeros(18),
    },
    {
      msix_config: leaf({
        table_entries: Array.from({ length: queues.length + 1 }, () => entry),
        pba_entries: [0],
        masked: true,
        enabled: false,
      }),
      pci_configuration: leaf({
        registers,
        writable_bits: registers,
        bars: [{ addr: base, size: 4_294_443_008, used: true, type }],
        rom_bar_addr: 0,
        rom_bar_size: 0,
        rom_bar_used: false,
        last_capability: [152, 10],
        msix_cap_reg_idx: 38,
        pending_bar_reprogram: [],
      }),
      virtio_pci_common_config: leaf({
        driver_status: 0,
        config_generation: 0,
        device_feature_select: 0,
        driver_feature_select: 0,
        queue_select: 0,
        msix_config: 65_535,
        msix_queues: queues.map(() => 65_535),
      }),
    },
  );
}

function memoryManager(memory: MemoryState): unknown {
  const slots = Array.from({ length: 8 }, (_, index) => {
    const slot = memory.slots[index];
    return {
      base: slot?.base ?? 0,
      length: slot?.length ?? 0,
      active: slot !== undefined,
      inserting: slot !== undefined,
      removing: false,
    };
  });
  return {
    memory_ranges: { data: memory.ranges },
    guest_ram_mappings: memory.regions.map((region, slot) => ({
      slot,
      gpa: region.gpa,
      size: region.size,
      zone_id: region.zone,
      virtio_mem: region.virtioMem,
      file_offset: region.fileOffset,
    })),
    start_of_device_area: memory.deviceAreaStart,
    boot_ram: memory.bootRam,
    current_ram: memory.currentRam,
    arch_mem_regions: [
      { base: 0, size: 3_221_225_472, r_type: "Ram" },
      { base: 4_294_967_296, size: 2n ** 64n - 1n, r_type: "Ram" },
      { base: 3_221_225_472, size: 671_088_640, r_type: "SubRegion" },
      { base: 3_892_314_112, size: 268_435_456, r_type: "Reserved" },
    ],
    hotplug_slots: slots,
    next_memory_slot: memory.regions.length,
    selected_slot: 0,
    next_hotplug_slot: memory.slots.length,
  };
}
