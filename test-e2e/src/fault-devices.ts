import { open } from "node:fs/promises";
import type { Engine, VmSpec } from "@silkvm/core";
import { diskKind } from "@silkvm/storage";

/** The name of the one VM that the fault loops work on. */
export const vmName = "faulty";

/** A device that the fault loops attach to their VM, and detach from it. */
export interface FaultyDevice {
  /** Its id in the VMM. */
  readonly id: string;
  /** What a VM needs to have one. */
  readonly spec?: Partial<VmSpec>;
  /** Makes what the device is of, beside the engine's directories. */
  readonly setUp: (engine: Engine) => Promise<void>;
  readonly attach: (engine: Engine, keep: boolean) => Promise<unknown>;
  readonly detach: (engine: Engine) => Promise<unknown>;
  /** What there is on the host because of it, in words: something while the VMM has it, nothing once it is gone. Left out for one that has nothing there. */
  readonly hostSide?: (engine: Engine) => Promise<readonly string[]>;
}

const imageOf = (engine: Engine): string => `${engine.config.rootDir}-extra.raw`;

const disk: FaultyDevice = {
  id: "silk-disk-extra",
  setUp: async (engine) => {
    await using image = await open(imageOf(engine), "w");
    await image.truncate(2 ** 20);
  },
  attach: (engine, keep) =>
    engine.devices.attach(vmName, diskKind, { path: imageOf(engine), name: "extra" }, { keep }),
  detach: (engine) => engine.devices.detach(vmName, diskKind, "extra"),
};

export const faultyDevices = { disk };

export type DeviceName = keyof typeof faultyDevices;
export type DeviceVerb = `${"attach" | "detach"} ${DeviceName}`;

export function isDeviceVerb(verb: string): verb is DeviceVerb {
  return /^(?:attach|detach) /.test(verb);
}

export async function runDeviceVerb(engine: Engine, verb: DeviceVerb): Promise<void> {
  const [word, name] = verb.split(" ") as ["attach" | "detach", DeviceName];
  const device = faultyDevices[name];
  await (word === "attach" ? device.attach(engine, false) : device.detach(engine));
}
