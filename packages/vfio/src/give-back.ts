import { type DeviceContext, SilkError, type VmRecord } from "@silkvm/core";
import { identityOf, type FormerDriver } from "./former-driver.ts";
import { lockGroup } from "./group-lock.ts";
import { programOf } from "./host-use/host-use.ts";
import { groupNode } from "./iommu-group.ts";
import { pciPath } from "./pci-address.ts";
import { isVfioDriver, readPciDevice } from "./pci-device.ts";
import type { VfioData } from "./vfio-kind.ts";

/** How long a VMM may take to close what it let go of. */
const closeMs = 10_000;
const lookAgainMs = 50;

/**
 * Gives the devices that were taken back to the drivers that they had. What was never taken, or was given back already, is fine; and so is what is gone,
 * or became somebody else's. While the VM has other devices of the group, the last of them gives everything back.
 * @throws SilkError `GROUP_IN_USE`, `NOT_GIVEN_BACK`: the same call may succeed later
 */
export async function giveBack(
  vm: VmRecord,
  id: string,
  data: VfioData,
  context: DeviceContext,
): Promise<void> {
  const { host } = context;
  // After a boot of the host every device is with the driver that it has by itself.
  if (data.bootId !== host.facts.bootId) return;
  const taken = await stillTaken(data, context);
  if (taken.length === 0) return;
  await using _lock = await lockGroup(host, data.group, {});
  if (!(await isClosed(vm, id, data, context))) return;
  for (const former of taken) await giveBackOne(former, context);
}

/** Those devices that are not as they were. */
async function stillTaken(
  { taken }: VfioData,
  { host }: DeviceContext,
): Promise<readonly FormerDriver[]> {
  const devices = await Promise.all(taken.map(({ address }) => readPciDevice(host, address)));
  return taken.filter((former, index) => {
    const device = devices[index];
    if (device === undefined || identityOf(device) !== former.is) return false;
    return (
      (device.driver ?? null) !== former.driver ||
      (device.driverOverride ?? null) !== former.driverOverride
    );
  });
}

/** Waits until nobody uses the group: to unbind a device that is in use hangs in the kernel. False where the VM goes on with others of it. */
async function isClosed(
  vm: VmRecord,
  id: string,
  { group }: VfioData,
  { host, attached }: DeviceContext,
): Promise<boolean> {
  const deadlineMs = host.clock.monotonicMs() + closeMs;
  for (;;) {
    const [opener] = await host.processes.openers([groupNode(group)]);
    if (opener === undefined) return true;
    const others = attached().filter(
      ({ vm: owner, attachment }) =>
        (attachment.data as VfioData).group === group &&
        (owner.id !== vm.id || attachment.id !== id),
    );
    if (others.length > 0) return false;
    const { identity, argv } = opener.process;
    if (host.clock.monotonicMs() > deadlineMs)
      throw new SilkError(
        `${programOf(argv)} (pid ${identity.pid}) still has the IOMMU group ${group} open: its devices cannot be given back`,
        {
          code: "GROUP_IN_USE",
          kind: "busy",
          hint: "End it and run the command again.",
          details: { group, pid: identity.pid },
        },
      );
    await host.clock.delay(lookAgainMs);
  }
}

async function giveBackOne(former: FormerDriver, { host, warn }: DeviceContext): Promise<void> {
  const { address, driver } = former;
  const device = await readPciDevice(host, address);
  if (device === undefined) return;
  try {
    if (device.driverOverride === "vfio-pci" && former.driverOverride !== "vfio-pci")
      // An empty line takes it back.
      await host.files.writeInPlace(
        `${pciPath(address)}/driver_override`,
        former.driverOverride ?? "\n",
      );
    if (isVfioDriver(device.driver))
      await host.files.writeInPlace(`/sys/bus/pci/drivers/${device.driver}/unbind`, address);
    // Another driver has it: somebody else's will.
    else if (device.driver !== undefined) return;
    if (driver === null) return;
    const drivers = `/sys/bus/pci/drivers/${driver}`;
    if ((await host.files.stat(drivers)) === undefined) {
      warn(`the driver ${driver} is not loaded any more: ${address} is left without one`);
      return;
    }
    await host.files.writeInPlace(`${drivers}/bind`, address);
  } catch (error) {
    throw notGivenBack(former, (error as Error).message, error);
  }
  const now = (await readPciDevice(host, address))?.driver;
  if (now !== driver) throw notGivenBack(former, `it has ${now ?? "no driver"} now`);
}

function notGivenBack({ address, driver }: FormerDriver, why: string, cause?: unknown): SilkError {
  return new SilkError(`${address} cannot be given back to ${driver ?? "nobody"}: ${why}`, {
    code: "NOT_GIVEN_BACK",
    kind: "unavailable",
    hint: "The kernel's log tells more (dmesg). Bind it to a driver by hand, or run the command again.",
    details: { pci: address, driver },
    cause,
  });
}
