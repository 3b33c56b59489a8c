import * as v from "valibot";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const absolutePath = v.pipe(v.string(), v.startsWith("/", "must be an absolute path"));
/** Go leaves out what is empty, and writes it where it is told to. */
const optionalPath = v.optional(
  v.union([
    v.pipe(
      v.literal(""),
      v.transform(() => undefined),
    ),
    absolutePath,
  ]),
);

/** `snapshot.json` of an archive of Cocoon's. */
export const envelopeSchema = v.object({
  version: v.literal(1, "is a version that this silk does not know: update silk"),
  config: v.object({
    id: v.optional(v.string()),
    name: v.optional(v.string(), ""),
    description: v.optional(v.string(), ""),
    hypervisor: v.optional(v.string(), ""),
    nics: v.optional(count, 0),
    image_blob_ids: v.nullish(v.record(v.string(), v.unknown()), {}),
    cpu: v.optional(count, 0),
    memory: v.optional(count, 0),
    storage: v.optional(count, 0),
    queue_size: v.optional(count, 0),
    disk_queue_size: v.optional(count, 0),
    image: v.optional(v.string()),
    image_digest: v.optional(v.string()),
    image_type: v.optional(v.string()),
    network: v.optional(v.string()),
    no_direct_io: v.optional(v.boolean(), false),
    windows: v.optional(v.boolean(), false),
  }),
});

/** `cocoon.json`: what Cloud Hypervisor's configuration cannot hold. */
export const sidecarSchema = v.object({
  storage_configs: v.nullish(
    v.array(
      v.object({
        path: absolutePath,
        ro: v.optional(v.boolean(), false),
        serial: v.optional(v.string(), ""),
        role: v.picklist(["layer", "cow", "cidata", "data"]),
        mount_point: v.optional(v.string()),
        fstype: v.optional(v.picklist(["ext4", "none"])),
        direct_io: v.nullish(v.boolean()),
      }),
    ),
    [],
  ),
  boot_config: v.nullish(
    v.object({
      kernel_path: optionalPath,
      initrd_path: optionalPath,
      cmdline: v.optional(v.string(), ""),
      firmware_path: optionalPath,
    }),
  ),
});

/** `config.json`: what is needed here of Cloud Hypervisor's own. */
export const vmConfigSchema = v.object({
  cpus: v.object({ boot_vcpus: v.pipe(count, v.minValue(1)) }),
  memory: v.object({
    size: v.pipe(count, v.minValue(1)),
    shared: v.optional(v.boolean(), false),
    hugepages: v.optional(v.boolean(), false),
  }),
  payload: v.nullish(
    v.object({
      kernel: v.nullish(absolutePath),
      initramfs: v.nullish(absolutePath),
      cmdline: v.nullish(v.string()),
      firmware: v.nullish(absolutePath),
    }),
  ),
  disks: v.nullish(
    v.array(v.object({ path: v.nullish(v.string()), readonly: v.optional(v.boolean(), false) })),
    [],
  ),
  net: v.nullish(
    v.array(
      v.object({
        tap: v.nullish(v.string(), ""),
        mac: v.nullish(v.string(), ""),
        num_queues: v.optional(count, 2),
        queue_size: v.optional(count, 0),
      }),
    ),
    [],
  ),
});

export type Envelope = v.InferOutput<typeof envelopeSchema>;
export type Sidecar = v.InferOutput<typeof sidecarSchema>;
export type CounterpartConfig = v.InferOutput<typeof vmConfigSchema>;
