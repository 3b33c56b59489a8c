import { join } from "node:path";
import { type Host, SilkError, type SnapshotManifest, validate } from "@silkvm/core";
import { damagedSnapshot } from "@silkvm/storage";
import * as v from "valibot";
import { diskSiteSchema, portSchema } from "./places.ts";

/** Names in a snapshot's directory: what QEMU wrote of the guest, and what it has to be like to read that. */
export const memoryName = "memory";
export const machineName = "machine.json";

/** More than it ever has. */
const longestBytes = 1024 * 1024;

const id = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,99}$/, "must be an id"));

const schema = v.strictObject({
  format: v.literal("silk-qemu"),
  version: v.literal(1),
  /** Its full name, with QEMU's version: what it is does not change from one QEMU to the next. */
  machine: v.pipe(
    v.string(),
    v.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "must be the name of a machine"),
  ),
  accel: v.picklist(["kvm", "tcg"]),
  /** `stream`: one piece after the other, as it was sent. `mapped`: each page at its own place, the empty ones holes. */
  memory: v.picklist(["stream", "mapped"]),
  /** Those of the manifest, in its order. */
  disks: v.array(v.strictObject({ id, site: diskSiteSchema })),
  nics: v.array(
    v.strictObject({
      id,
      port: portSchema,
      queues: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1024)),
    }),
  ),
});

/** What a QEMU must be like that is to go on with a guest. */
export type MachineDocument = Readonly<v.InferOutput<typeof schema>>;

export async function writeMachineDocument(
  { files }: Host,
  directory: string,
  document: MachineDocument,
): Promise<void> {
  const text = `${JSON.stringify(document, undefined, 2)}\n`;
  await files.writeAtomic(join(directory, machineName), text, { mode: 0o600 });
}

/**
 * Reads it from a snapshot, which may be anybody's.
 * @throws SilkError `SNAPSHOT_DAMAGED`
 */
export async function readMachineDocument(
  { files }: Host,
  directory: string,
  manifest: SnapshotManifest,
): Promise<MachineDocument> {
  const bytes = await files.readRange(join(directory, machineName), 0, longestBytes);
  const document = parse(Buffer.from(bytes).toString("utf8"));
  const { disks, nics } = document;
  if (disks.length !== manifest.vm.disks.length || nics.length !== manifest.vm.nics.length)
    throw damagedSnapshot(machineName, "does not have the disks and the NICs of the manifest");
  const ids = [...disks, ...nics].map((device) => device.id);
  const places = [
    ...disks.map(({ site }) => JSON.stringify(site)),
    ...nics.map(({ port }) => JSON.stringify({ port })),
  ];
  if (new Set(ids).size < ids.length || new Set(places).size < places.length)
    throw damagedSnapshot(machineName, "has two devices at one place, or of one id");
  return document;
}

function parse(text: string): MachineDocument {
  try {
    return validate(schema, JSON.parse(text), "SNAPSHOT_DAMAGED", machineName);
  } catch (error) {
    const why = error instanceof SilkError ? error.message : "is not JSON";
    throw damagedSnapshot(machineName, `is not valid: ${why}`, error);
  }
}
