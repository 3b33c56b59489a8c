import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Engine, VmSpec } from "@silkvm/core";
import { diskKind } from "@silkvm/storage";
import { fsAttach, fsDetach, fsDeviceId } from "@silkvm/virtiofs";
import { findVirtiofsds } from "./virtiofsds.ts";

/** The name of the one VM that the fault loops work on. */
export const vmName = "faulty";

/** A device that the fault loops attach to their VM, and detach from it. */
export interface FaultyDevice {
  /** Its id in the VMM. */
  readonly id: string;
  /** Why there can be none here; its tests are skipped then, and counted. */
  readonly missing?: string | undefined;
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

const directoryOf = (engine: Engine): string => `${engine.config.rootDir}-shared`;
const tag = "extra";

const share: FaultyDevice = {
  id: fsDeviceId(tag),
  missing: findVirtiofsds().some(({ path }) => path !== undefined)
    ? undefined
    : "there is no virtiofsd, or no root",
  spec: { sharedMemory: true },
  setUp: (engine) => engine.host.files.mkdir(directoryOf(engine), { mode: 0o700 }),
  attach: (engine, keep) => fsAttach(engine, vmName, { tag, dir: directoryOf(engine) }, { keep }),
  detach: (engine) => fsDetach(engine, vmName, tag),
  hostSide: async ({ host, config }) => {
    const { processes, files } = host;
    const runs = (argument: string): boolean =>
      argument.startsWith(`--socket-path=${config.runDir}`);
    const servers = await processes.find((argv) => argv.some(runs));
    const left = [];
    for (const scope of await files.list(config.runDir))
      for (const id of await files.list(join(config.runDir, scope)))
        for (const name of await files.list(join(config.runDir, scope, id)))
          if (name.startsWith("fs-")) left.push(name);
    const pids = await files.list("/run/virtiofsd");
    const named = config.runDir.replaceAll("/", ".");
    return [
      ...servers.map(({ argv }) => argv.join(" ")),
      ...left,
      ...pids.filter((name) => name.startsWith(named)),
    ];
  },
};

export const faultyDevices: Readonly<Record<"disk" | "share", FaultyDevice>> = { disk, share };

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
