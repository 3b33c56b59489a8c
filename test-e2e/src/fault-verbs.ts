import { createReadStream, createWriteStream } from "node:fs";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Engine, VmSpec } from "@silkvm/core";
import { netResize } from "@silkvm/netresize";
import { exportSnapshot, importSnapshot } from "@silkvm/storage";
import { type DeviceVerb, isDeviceVerb, runDeviceVerb, vmName } from "./fault-devices.ts";

export { vmName } from "./fault-devices.ts";

export type Verb = "create" | "start" | "stop" | "delete" | DeviceVerb | NicVerb | SnapshotVerb;

/** A VM gets two NICs more, or has them taken away. */
export type NicVerb = "grow" | "shrink";

/** How many NICs the VM has before it grows, and after it. */
export const fewNics = 1;
export const manyNics = 3;

export type SnapshotVerb =
  | "snapshot"
  | "clone"
  | "restore"
  | "hibernate"
  | "wake"
  | "delete-snapshot"
  | "export"
  | "import";

/** The names of its snapshot, of the clone that is made of that, and of the snapshot that comes back from an archive. */
export const snapshotName = "saved";
export const cloneName = "cloned";
export const importName = "imported";

/** Where the archive is that `import` reads: beside the engine's directories. */
export function archivePath(engine: Engine): string {
  return `${engine.config.rootDir}.tar`;
}

/** One verb on that VM; throws what went wrong with it. */
export async function runVerb(engine: Engine, verb: Verb, spec: VmSpec): Promise<void> {
  if (isDeviceVerb(verb)) {
    await runDeviceVerb(engine, verb);
    return;
  }
  const each: Readonly<Record<Exclude<Verb, DeviceVerb>, () => Promise<unknown>>> = {
    create: () => engine.create({ ...spec, name: vmName }),
    start: async () => (await engine.get(vmName)).start(),
    stop: async () => (await engine.get(vmName)).stop({ force: true }),
    delete: async () => (await engine.get(vmName)).delete({ force: true }),
    grow: () => netResize(engine, vmName, { target: manyNics }),
    shrink: () => netResize(engine, vmName, { target: fewNics }),
    snapshot: () => engine.snapshots.save(vmName, { name: snapshotName }),
    clone: () => engine.clone({ snapshot: snapshotName }, { name: cloneName }),
    restore: () => engine.restore(vmName, { snapshot: snapshotName }),
    hibernate: () => engine.hibernate(vmName),
    wake: () => engine.wake(vmName),
    "delete-snapshot": () => refuseFailures(engine.snapshots.delete([snapshotName])),
    export: async () => pipeline(await exportSnapshot(engine, snapshotName), nowhere()),
    import: () =>
      importSnapshot(engine, createReadStream(archivePath(engine)), { name: importName }),
  };
  await each[verb]();
}

/** Writes the archive that `import` reads. */
export async function writeArchive(engine: Engine): Promise<void> {
  const stream = await exportSnapshot(engine, snapshotName);
  await pipeline(stream, createWriteStream(archivePath(engine)));
}

async function refuseFailures(batch: ReturnType<Engine["snapshots"]["delete"]>): Promise<void> {
  const [failure] = (await batch).failed;
  if (failure !== undefined) throw failure.error;
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
