import type { NetResize, Nic, OperationContext, VmmNic, VmRecord } from "@silkvm/core";
import { addresses, deviceProperty, kindOf, listDevices } from "./devices.ts";
import { addDevice, hotPlugOf, inMonitor, type Pluggable, textProperty } from "./hot-plug.ts";
import { leavingDevices } from "./leaving.ts";
import type { Machine } from "./machine.ts";
import { nicArgs, tapOf } from "./nic-args.ts";
import type { QmpCaller, QmpCallOptions } from "./qmp/client.ts";
import { QmpError } from "./qmp/errors.ts";
import { hasVhost } from "./shape.ts";

interface NicData extends Readonly<Record<string, unknown>> {
  readonly nic: Nic;
}

/** The NICs of a VM that runs, added to its VMM and taken away over its monitor. */
export function netResizeOf(machine: Machine): NetResize {
  const plug = hotPlugOf(machine, nicPlug(machine));
  return {
    add: async (vm, { deviceId, nic }, context) =>
      void (await plug.add(vm, { id: deviceId, data: { nic } }, context)),
    remove: (vm, deviceId, context) => plug.remove(vm, deviceId, context),
    isPresent: (vm, deviceId, context) => plug.isPresent(vm, deviceId, context),
    list: (vm, context) => listNics(machine, vm, context),
  };
}

function nicPlug({ host }: Machine): Pluggable<NicData> {
  return {
    async add(monitor, vm, { id, data, port }, options) {
      const place = { bus: port };
      const { netdev, device } = nicArgs(
        { nic: data.nic, id, place, vhost: await hasVhost(host) },
        vm.config,
      );
      await addNetdev(monitor, netdev, options);
      try {
        await addDevice(monitor, device, options);
      } catch (error) {
        // By the device nobody can find it any more.
        await monitor.execute("netdev_del", { id: netdev["id"] }).catch(() => {});
        throw error;
      }
    },
    async afterwards(monitor, id, options) {
      const netdev = await textProperty(monitor, id, "netdev", options);
      return netdev === undefined ? [] : [{ command: "netdev_del", args: { id: netdev } }];
    },
  };
}

/** One without a device is left by somebody who was killed: it makes room. */
async function addNetdev(
  monitor: QmpCaller,
  netdev: Readonly<Record<string, unknown>>,
  options: QmpCallOptions,
): Promise<void> {
  try {
    await monitor.execute("netdev_add", netdev, options);
  } catch (error) {
    if (!(error instanceof QmpError) || !/Duplicate ID/.test(error.message)) throw error;
    for (const { id } of await listDevices(monitor, options))
      if ((await textProperty(monitor, id, "netdev", options)) === netdev["id"]) throw error;
    await monitor.execute("netdev_del", { id: netdev["id"] }, options);
    await monitor.execute("netdev_add", netdev, options);
  }
}

/** Without those that the guest was asked to let go of. */
async function listNics(
  machine: Machine,
  vm: VmRecord,
  { signal }: OperationContext,
): Promise<readonly VmmNic[]> {
  const leaving = await leavingDevices(machine, vm);
  const found = await inMonitor(machine, vm, signal, async (monitor) => {
    const places = await addresses(monitor, { signal });
    const nics: VmmNic[] = [];
    for (const device of await listDevices(monitor, { signal })) {
      if (kindOf(device) !== "nic" || leaving.has(device.id)) continue;
      const netdev = await textProperty(monitor, device.id, "netdev", { signal });
      // One that is on its way out of a clone has lost its TAP.
      if (netdev === undefined) continue;
      const mac = String(await deviceProperty(monitor, device.id, "mac", { signal }));
      const bdf = places.get(device.id);
      nics.push({
        deviceId: device.id,
        tap: tapOf(netdev),
        mac,
        ...(bdf === undefined ? {} : { bdf }),
      });
    }
    return nics;
  });
  return found ?? [];
}
