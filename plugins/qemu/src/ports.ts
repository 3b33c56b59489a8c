import { SilkError } from "@silkvm/core";
import { deviceProperty, listDevices, portOf } from "./devices.ts";
import { portCount } from "./layout.ts";
import type { QmpCaller, QmpCallOptions } from "./qmp/client.ts";

/**
 * Ports without a device, the first one first.
 * @throws SilkError `NO_FREE_SLOT` where there are none
 */
export async function freePorts(
  monitor: QmpCaller,
  options: QmpCallOptions = {},
): Promise<readonly number[]> {
  const taken = new Set<number>();
  for (const { id, driver } of await listDevices(monitor, options)) {
    if (driver === "virtconsole" || driver === "vmgenid") continue;
    const port = portOf(await deviceProperty(monitor, id, "parent_bus", options));
    if (port !== undefined) taken.add(port);
  }
  const free = Array.from({ length: portCount }, (_, port) => port).filter(
    (port) => !taken.has(port),
  );
  if (free.length > 0) return free;
  throw new SilkError(
    `all ${portCount} places for devices that are added while the VM runs are taken`,
    {
      code: "NO_FREE_SLOT",
      kind: "conflict",
      hint: "Detach a device that is not needed any more.",
    },
  );
}
