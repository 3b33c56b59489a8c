import { objectOf } from "./qmp/messages.ts";
import type { QmpCaller, QmpCallOptions } from "./qmp/client.ts";

/** A device of the VM's that silk has named. */
export interface VmmDevice {
  readonly id: string;
  /** QEMU's type of it, such as `virtio-net-pci`. */
  readonly driver: string;
}

const peripherals = "/machine/peripheral";
const portDriver = "pcie-root-port";

/** The devices that the VMM has, also those that the guest is still letting go of; without the ports that they sit in. */
export async function listDevices(
  monitor: QmpCaller,
  options: QmpCallOptions = {},
): Promise<readonly VmmDevice[]> {
  return (await listAll(monitor, options)).filter(({ driver }) => driver !== portDriver);
}

/** Whether the machine has ports that devices can be added to: a microvm has none. */
export async function hasPorts(monitor: QmpCaller, options: QmpCallOptions = {}): Promise<boolean> {
  return (await listAll(monitor, options)).some(({ driver }) => driver === portDriver);
}

async function listAll(monitor: QmpCaller, options: QmpCallOptions): Promise<readonly VmmDevice[]> {
  const answer = await monitor.execute("qom-list", { path: peripherals }, options);
  if (!Array.isArray(answer)) return [];
  return answer.flatMap((entry: unknown) => {
    const { name, type } = objectOf(entry) ?? {};
    const driver = /^child<(.+)>$/.exec(String(type))?.[1];
    return driver === undefined ? [] : [{ id: String(name), driver }];
  });
}

/** A property of a device that silk has named. */
export async function deviceProperty(
  monitor: QmpCaller,
  id: string,
  property: string,
  options: QmpCallOptions = {},
): Promise<unknown> {
  return await monitor.execute("qom-get", { path: `${peripherals}/${id}`, property }, options);
}

/** The number of the port whose bus it is; undefined for any other bus. */
export function portOf(bus: unknown): number | undefined {
  const number = /\/port(\d+)$/.exec(String(bus))?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Where PCI devices are in the guest, by their ids: `0000:01:00.0`. A guest that has not looked at its buses yet has no addresses. */
export async function addresses(
  monitor: QmpCaller,
  options: QmpCallOptions = {},
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const visit = (devices: unknown): void => {
    if (!Array.isArray(devices)) return;
    for (const entry of devices) {
      const device = objectOf(entry) ?? {};
      const { qdev_id: id, bus, slot, function: part } = device;
      if (typeof id === "string" && id !== "")
        found.set(id, `0000:${hex(bus, 2)}:${hex(slot, 2)}.${hex(part, 1)}`);
      visit(objectOf(device["pci_bridge"])?.["devices"]);
    }
  };
  const buses = await monitor.execute("query-pci", undefined, options);
  if (Array.isArray(buses)) for (const bus of buses) visit(objectOf(bus)?.["devices"]);
  return found;
}

/** What a device is, in the words of records. */
export function kindOf({ driver }: VmmDevice): string {
  if (driver.startsWith("virtio-blk")) return "disk";
  if (driver.startsWith("virtio-net")) return "nic";
  if (driver.startsWith("vhost-user-fs")) return "fs";
  if (driver.startsWith("vfio-pci")) return "vfio";
  if (driver.startsWith("virtio-rng")) return "rng";
  if (driver.startsWith("virtio-balloon")) return "balloon";
  if (driver === "virtconsole") return "console";
  if (driver.startsWith("virtio-serial")) return "serial";
  return driver;
}

function hex(value: unknown, digits: number): string {
  return Number(value).toString(16).padStart(digits, "0");
}
