import {
  type DeviceData,
  type Host,
  type HotPlug,
  type OperationContext,
  recordedVmm,
  type RemoveContext,
  SilkError,
  type VmRecord,
} from "@silkvm/core";
import { addresses, deviceProperty, listDevices } from "./devices.ts";
import { fromQmp } from "./from-qmp.ts";
import { launchFailure } from "./launch-failure.ts";
import { portId } from "./layout.ts";
import { type Afterwards, forgetLeaving, recallLeaving, rememberLeaving } from "./leaving.ts";
import type { Machine } from "./machine.ts";
import { type Monitor, openMonitor } from "./monitor.ts";
import { freePorts } from "./ports.ts";
import type { QmpCaller, QmpCallOptions } from "./qmp/client.ts";
import { QmpClosedError, QmpError } from "./qmp/errors.ts";

const lookAgainMs = 20;
/** How long a device that has gone may hold on to what is behind it. */
const letGoMs = 3_000;

/** A kind of device that can be added to a VM that runs. */
export interface Pluggable<D extends DeviceData> {
  /** Adds what is behind the device, and then the device in a port. What it leaves when it throws, `afterwards` takes away. */
  add(
    monitor: Monitor,
    vm: VmRecord,
    device: { readonly id: string; readonly data: D; readonly port: string },
    options: QmpCallOptions,
  ): Promise<void>;
  /** What is to be done once the device has gone. */
  afterwards(monitor: QmpCaller, id: string, options: QmpCallOptions): Promise<Afterwards>;
}

/** Adds a device. Its properties may be of any type; the monitor's wants them as they are. */
export async function addDevice(
  monitor: QmpCaller,
  properties: Readonly<Record<string, unknown>>,
  options: QmpCallOptions,
): Promise<void> {
  await monitor.execute("device_add", properties, options);
}

/** One kind of device, added to the VMM and taken away over its monitor. */
export function hotPlugOf<D extends DeviceData>(machine: Machine, kind: Pluggable<D>): HotPlug<D> {
  return {
    add: (vm, device, context) => addOne(machine, kind, vm, device, context),
    remove: (vm, id, context) => removeOne(machine, kind, vm, id, context),
    isPresent: async (vm, id, { signal }) => {
      const isThere = await inMonitor(machine, vm, signal, async (monitor) => {
        const devices = await listDevices(monitor, { signal });
        if (devices.some((device) => device.id === id)) return true;
        await giveBack(machine, kind, vm, monitor, id);
        return false;
      });
      return isThere ?? false;
    },
  };
}

async function addOne<D extends DeviceData>(
  machine: Machine,
  kind: Pluggable<D>,
  vm: VmRecord,
  device: { readonly id: string; readonly data: D },
  { signal }: OperationContext,
): Promise<{ readonly bdf?: string }> {
  const { id } = device;
  const options = { signal };
  try {
    await using monitor = await openMonitor(machine, vm, options);
    if ((await listDevices(monitor, options)).some((known) => known.id === id))
      throw exists(vm, id);
    await giveBack(machine, kind, vm, monitor, id);
    const [port] = await freePorts(monitor, options);
    try {
      await kind.add(monitor, vm, { ...device, port: portId(port as number) }, options);
    } catch (error) {
      // Without the signal: it may be just after an abort.
      const isThere = (await listDevices(monitor)).some((known) => known.id === id);
      if (!isThere) await run(machine.host, monitor, await kind.afterwards(monitor, id, {}));
      throw error;
    }
    const bdf = (await addresses(monitor, options)).get(id);
    return bdf === undefined ? {} : { bdf };
  } catch (error) {
    if (!(error instanceof QmpError))
      throw fromQmp(error, `cannot give ${vm.name} the device ${id}`);
    throw await launchFailure(machine, vm, {
      what: `QEMU refused the device ${id}`,
      refusal: [error.message],
      ended: false,
      log: [],
      cause: error,
    });
  }
}

/**
 * Asks the guest to let go of a device and waits until it has: the monitor's yes only means that it was asked. A device that is gone is fine.
 * @throws SilkError `DEVICE_NOT_RELEASED`
 */
async function removeOne<D extends DeviceData>(
  machine: Machine,
  kind: Pluggable<D>,
  vm: VmRecord,
  id: string,
  { graceMs, signal, progress }: RemoveContext,
): Promise<void> {
  await inMonitor(machine, vm, signal, async (monitor) => {
    const options = { signal };
    const isThere = async (caller: QmpCaller): Promise<boolean> =>
      (await listDevices(caller, options)).some((device) => device.id === id);
    if (await isThere(monitor)) {
      if ((await recallLeaving(machine, vm, id)) === undefined)
        await rememberLeaving(machine, vm, id, await kind.afterwards(monitor, id, options));
      await ask(monitor, id, options);
      progress(`waiting for the guest to let go of ${id}`);
      const { clock } = machine.host;
      const deadlineMs = clock.monotonicMs() + graceMs;
      await machine.host.effect("QMP released", async () => {
        while (await isThere(monitor.waiting)) {
          if (clock.monotonicMs() > deadlineMs) throw notReleased(vm, id, graceMs);
          await clock.delay(lookAgainMs, { signal });
        }
      });
    }
    await clearUp(machine, vm, monitor, id);
  });
}

async function ask(monitor: QmpCaller, id: string, options: QmpCallOptions): Promise<void> {
  try {
    await monitor.execute("device_del", { id }, options);
  } catch (error) {
    // The guest was asked before, and has not let go yet; or it has, just now.
    const isFine =
      error instanceof QmpError &&
      (error.errorClass === "DeviceNotFound" ||
        /already in the process of unplug/.test(error.message));
    if (!isFine) throw error;
  }
}

/** Gives back what is behind a device that is not there: it has gone since, or somebody was killed who was adding it, and nobody has come to clear up. */
async function giveBack<D extends DeviceData>(
  machine: Machine,
  kind: Pluggable<D>,
  vm: VmRecord,
  monitor: Monitor,
  id: string,
): Promise<void> {
  await clearUp(machine, vm, monitor, id);
  await run(machine.host, monitor, await kind.afterwards(monitor, id, {}));
}

/** Does what was to be done once a device has gone. */
async function clearUp(
  machine: Machine,
  vm: VmRecord,
  monitor: QmpCaller,
  id: string,
): Promise<void> {
  const afterwards = await recallLeaving(machine, vm, id);
  if (afterwards === undefined) return;
  await run(machine.host, monitor, afterwards);
  await forgetLeaving(machine, vm, id);
}

/** Runs commands that give something back; what is gone already is fine. A device keeps what is behind it for a moment after it has gone. */
async function run(host: Host, monitor: QmpCaller, commands: Afterwards): Promise<void> {
  const deadlineMs = host.clock.monotonicMs() + letGoMs;
  for (const { command, args } of commands)
    for (;;) {
      const refusal = await monitor.execute(command, args).then(
        () => undefined,
        (error: unknown) => {
          if (error instanceof QmpError) return error;
          throw error;
        },
      );
      const isHeld = refusal !== undefined && /in use|busy/i.test(refusal.message);
      if (!isHeld || host.clock.monotonicMs() > deadlineMs) break;
      await host.clock.delay(lookAgainMs);
    }
}

/** Talks to the VM's monitor. Undefined where no VMM runs. */
export async function inMonitor<T>(
  machine: Machine,
  vm: VmRecord,
  signal: AbortSignal | undefined,
  talk: (monitor: Monitor) => Promise<T>,
): Promise<T | undefined> {
  try {
    await using monitor = await openMonitor(machine, vm, { signal });
    return await talk(monitor);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof QmpClosedError && recordedVmm(machine, vm) === undefined) return undefined;
    throw fromQmp(error, `the devices of ${vm.name} cannot be changed, or told`);
  }
}

/** A property of a device as a text; undefined where it has none. */
export async function textProperty(
  monitor: QmpCaller,
  id: string,
  property: string,
  options: QmpCallOptions,
): Promise<string | undefined> {
  const value = await deviceProperty(monitor, id, property, options).catch((error: unknown) => {
    if (error instanceof QmpError) return undefined;
    throw error;
  });
  return typeof value === "string" && value !== "" ? value : undefined;
}

function exists(vm: VmRecord, id: string): SilkError {
  return new SilkError(`the VM ${vm.name} has a device ${id} already`, {
    code: "DEVICE_EXISTS",
    kind: "conflict",
    hint: "Choose another id.",
    details: { id: vm.id, name: vm.name, deviceId: id },
  });
}

function notReleased(vm: VmRecord, id: string, waitedMs: number): SilkError {
  return new SilkError(`the guest of ${vm.name} does not let go of ${id}`, {
    code: "DEVICE_NOT_RELEASED",
    kind: "timeout",
    hint: "See to it that nothing in the guest uses it (unmount it, say), and run the command again.",
    details: { id: vm.id, name: vm.name, deviceId: id, waitedMs },
  });
}
