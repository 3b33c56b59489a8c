import { SilkError } from "@silkvm/core";
import { deviceProperty, hasPorts, listDevices, portOf } from "./devices.ts";
import { portCount } from "./layout.ts";
import type { QmpCaller, QmpCallOptions } from "./qmp/client.ts";

/**
 * Ports without a device, the first one first.
 * @throws SilkError `NO_FREE_SLOT` where there are none, `CAPABILITY_MISSING` where the machine has no ports at all
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
  // The settings of today may be others than those that the VM was started with.
  if (taken.size === 0 && !(await hasPorts(monitor, options))) throw noPorts();
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

function noPorts(): SilkError {
  return new SilkError("the VM runs as a microvm, which takes no devices while it runs", {
    code: "CAPABILITY_MISSING",
    kind: "unsupported",
    hint: "Start it anew as a q35: `silk config set qemuMachine q35`, then `silk vm stop` and `silk vm start`.",
  });
}
