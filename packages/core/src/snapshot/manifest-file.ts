import { hash } from "node:crypto";
import { join } from "node:path";
import * as v from "valibot";
import { isSilkError, SilkError, toSilkError } from "../errors.ts";
import type { Host } from "../host.ts";
import { validate } from "../validate.ts";
import { containerRunSchema, guestSchema } from "../image/schemas.ts";
import { checkDisks } from "../vm/disks.ts";
import type { Boot } from "../vm/record.ts";
import { namePattern } from "../vm/names.ts";
import { manifestName, type SnapshotManifest } from "./manifest.ts";

/** A manifest is small; a larger file is something else. */
const largestManifestBytes = 4 * 1024 ** 2;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const name = v.pipe(v.string(), v.regex(namePattern));
const absolutePath = v.pipe(v.string(), v.startsWith("/", "must be an absolute path"));
/** No directory, no name that hides, and not the manifest itself. */
const fileName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, "must be a plain file name"),
  v.check((value) => value !== manifestName, "must not be the manifest"),
);
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in hex"));
const moment = v.pipe(v.string(), v.isoTimestamp());

const config = v.object({
  cpus: v.pipe(count, v.minValue(1)),
  memoryBytes: v.pipe(count, v.minValue(1)),
  storageBytes: count,
  netQueueSize: count,
  diskQueueSize: count,
  noDirectIo: v.boolean(),
  windows: v.boolean(),
  sharedMemory: v.boolean(),
  hugepages: v.boolean(),
  image: v.optional(v.string()),
  imageDigest: v.optional(v.string()),
  imageType: v.optional(v.picklist(["oci-vm", "oci-container", "cloudimg"])),
  imageKernel: v.optional(v.string()),
  guest: v.optional(guestSchema),
  run: v.optional(containerRunSchema),
  network: v.optional(v.string()),
  bridge: v.optional(v.string()),
  dns: v.optional(v.array(v.string())),
});

const bootSchema = v.variant("kind", [
  v.object({
    kind: v.literal("direct"),
    kernelPath: absolutePath,
    initrdPath: v.optional(absolutePath),
    layered: v.optional(v.boolean()),
    cmdline: v.string(),
  }),
  v.object({ kind: v.literal("firmware"), firmwarePath: absolutePath }),
]);

const disk = v.object({
  path: absolutePath,
  role: v.picklist(["layer", "cow", "cidata", "data"]),
  readonly: v.boolean(),
  serial: v.optional(v.string()),
  sizeBytes: v.optional(count),
  directIo: v.optional(v.boolean()),
  mountPoint: v.optional(v.string()),
  fstype: v.optional(v.picklist(["ext4", "none"])),
  file: v.optional(fileName),
});

const nic = v.object({
  tap: v.string(),
  mac: v.string(),
  queues: count,
  queueSize: count,
  provider: v.string(),
  bridge: v.optional(v.string()),
  network: v.optional(v.string()),
  netnsPath: v.optional(v.string()),
  address: v.optional(v.object({ ip: v.string(), gateway: v.string(), prefix: count })),
});

const manifestSchema = v.object({
  format: v.literal("silk-snapshot", "is no snapshot of silk's"),
  version: v.literal(1, "is a version that this silk does not know: update silk"),
  id: name,
  name,
  description: v.string(),
  createdAt: moment,
  backend: v.string(),
  host: v.object({
    arch: v.string(),
    vmmVersion: v.string(),
    cpu: v.optional(
      v.object({ vendor: v.string(), model: v.string(), flags: v.array(v.string()) }),
    ),
  }),
  vm: v.object({
    id: name,
    name,
    config,
    boot: bootSchema,
    disks: v.array(disk),
    nics: v.array(nic),
    labels: v.record(v.string(), v.string()),
    imageBlobIds: v.array(v.string()),
    firstBooted: v.boolean(),
  }),
  parentId: v.optional(name),
  externals: v.array(
    v.object({
      path: absolutePath,
      sizeBytes: v.optional(count),
      chunksSha256: v.optional(digest),
    }),
  ),
  files: v.array(v.object({ name: fileName, sizeBytes: count, chunksSha256: digest })),
});

/**
 * Checks that a value is a manifest, and of one piece: its disks are possible, each file is named once, each disk's file is one of
 * them, and each file outside is told of.
 * @throws SilkError `INVALID_MANIFEST`
 */
export function checkManifest(value: unknown, what: string): SnapshotManifest {
  const manifest = validate(manifestSchema, value, "INVALID_MANIFEST", what);
  const refuse = (why: string): never => {
    throw new SilkError(`${what} is not valid: ${why}`, {
      code: "INVALID_MANIFEST",
      kind: "invalid",
    });
  };
  checkDisks(manifest.vm.disks);
  const names = manifest.files.map((file) => file.name);
  if (new Set(names).size < names.length) refuse("it names a file twice");
  const used = manifest.vm.disks.flatMap(({ file }) => (file === undefined ? [] : [file]));
  if (new Set(used).size < used.length) refuse("two of its disks have one file");
  const missing = used.find((file) => !names.includes(file));
  if (missing !== undefined) refuse(`the file ${missing} of a disk is not among its files`);
  const outside = new Set(manifest.externals.map(({ path }) => path));
  const needed = [
    ...bootFiles(manifest.vm.boot),
    ...manifest.vm.disks.flatMap(({ path, file }) => (file === undefined ? [path] : [])),
  ];
  const untold = needed.find((path) => !outside.has(path));
  if (untold !== undefined) refuse(`it needs ${untold} and does not say so`);
  return manifest;
}

/** The files that a VM boots from. */
export function bootFiles(boot: Boot): readonly string[] {
  if (boot.kind === "firmware") return [boot.firmwarePath];
  return [boot.kernelPath, boot.initrdPath].filter((path) => path !== undefined);
}

/**
 * Reads the manifest of the snapshot in a directory.
 * @throws SilkError `SNAPSHOT_NOT_FOUND` where there is none, `SNAPSHOT_DAMAGED`, `INVALID_MANIFEST`
 */
export async function readManifest(host: Host, directory: string): Promise<SnapshotManifest> {
  const path = join(directory, manifestName);
  const stat = await host.files.stat(path);
  if (stat === undefined)
    throw new SilkError(`there is no snapshot in ${directory}: it has no ${manifestName}`, {
      code: "SNAPSHOT_NOT_FOUND",
      kind: "not-found",
      hint: "`silk snapshot export --to-dir DIR` makes such a directory.",
      details: { directory },
    });
  const damaged = (why: string, cause?: unknown): SilkError =>
    new SilkError(`the snapshot in ${directory} is damaged: ${manifestName} ${why}`, {
      code: "SNAPSHOT_DAMAGED",
      kind: "failed",
      details: { directory, file: manifestName },
      cause,
    });
  if (stat.kind !== "file") throw damaged("is no file");
  if (stat.sizeBytes > largestManifestBytes) throw damaged("is too large to be one");
  const text = await readOwn(host, path).catch((error: unknown) => {
    // A symlink would show what is in a file of somebody else's.
    if ((error as NodeJS.ErrnoException).code === "ELOOP") throw damaged("is no file");
    throw toSilkError(error, `cannot read ${path}`);
  });
  try {
    return parseManifest(text, path);
  } catch (error) {
    throw isSilkError(error) && error.code === "INVALID_MANIFEST"
      ? damaged(`is not valid: ${error.message}`, error)
      : error;
  }
}

/** The text of a file that is no symlink, as far as a manifest may be long. */
async function readOwn(host: Host, path: string): Promise<string> {
  await using file = await host.files.open(path, "read");
  const { sizeBytes } = await file.stat();
  const buffer = Buffer.alloc(Math.min(sizeBytes, largestManifestBytes));
  return buffer.toString("utf8", 0, await file.read(buffer, 0));
}

/**
 * Reads a manifest as {@link writeManifest} has written it.
 * @param what names it in errors: a path
 * @throws SilkError `INVALID_MANIFEST`, also where one bit of it is not as it was written
 */
export function parseManifest(text: string, what: string): SnapshotManifest {
  const refuse = (why: string, cause?: unknown): never => {
    throw new SilkError(`${what} ${why}`, { code: "INVALID_MANIFEST", kind: "invalid", cause });
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse("is no JSON", error);
  }
  if (typeof value !== "object" || value === null || !("sha256" in value))
    return refuse("is no manifest of a snapshot");
  const { sha256: written, ...content } = value;
  if (written !== digestOf(content)) refuse("is not as it was written: its digest is another one");
  // White space says nothing, but a file that is cut short is not to be taken for a whole one.
  if (text !== textOf(content)) refuse("is not as it was written");
  return checkManifest(content, what);
}

/** The text of a manifest, with a digest of its own: what {@link parseManifest} reads. */
export function formatManifest(manifest: SnapshotManifest): string {
  return textOf(manifest);
}

function textOf(content: object): string {
  return `${JSON.stringify({ ...content, sha256: digestOf(content) }, undefined, 2)}\n`;
}

function digestOf(content: object): string {
  return hash("sha256", JSON.stringify(content));
}

/** Writes the manifest of a snapshot: the last of its files, after which it is whole. The directory is synced. */
export async function writeManifest(
  host: Host,
  directory: string,
  manifest: SnapshotManifest,
): Promise<void> {
  const path = join(directory, manifestName);
  await host.files.writeAtomic(path, formatManifest(manifest), { mode: 0o400 });
  await host.files.sync(directory);
}
