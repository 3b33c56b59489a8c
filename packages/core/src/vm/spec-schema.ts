import * as v from "valibot";
import { guestSchema, runSpecSchema } from "../image/schemas.ts";
import { serialPattern, dataDiskNamePattern, smallestDataDiskBytes } from "./disks.ts";
import { labelsSchema } from "./labels.ts";

const flag = v.optional(v.boolean());
const size = v.pipe(
  v.number(),
  v.safeInteger("must be a whole number of bytes"),
  v.minValue(0, "must not be negative"),
);
const path = v.pipe(
  v.string(),
  v.nonEmpty("must not be empty"),
  v.check((text) => !text.includes("\0"), "must not hold a NUL byte"),
);
const queueSize = v.optional(
  v.pipe(
    v.number(),
    v.check(
      (n) => n === 0 || (Number.isInteger(Math.log2(n)) && n >= 1 && n <= 32_768),
      "must be 0 or a power of two up to 32768",
    ),
  ),
);

/** No newlines: a cmdline is one line, and one that ends early would hide what follows. */
const oneLine = v.pipe(
  v.string(),
  v.check((text) => !/[\0\n]/.test(text), "must be one line"),
);

const disk = v.strictObject({
  path,
  readonly: flag,
  serial: v.optional(
    v.pipe(
      v.string(),
      v.regex(serialPattern, "must be 1 to 20 letters, digits, dots, dashes or underscores"),
    ),
  ),
  directIo: flag,
});

const dataDisk = v.strictObject({
  sizeBytes: v.pipe(size, v.minValue(smallestDataDiskBytes, "must be at least 16 MiB")),
  name: v.optional(
    v.pipe(
      v.string(),
      v.regex(dataDiskNamePattern, "must be 1 to 20 of a-z, 0-9, - and _, and begin with a letter"),
    ),
  ),
  fstype: v.optional(v.picklist(["ext4", "none"], 'must be "ext4" or "none"')),
  mountPoint: v.optional(
    v.pipe(v.string(), v.regex(/^(?:\/[^\0\n]*)?$/, "must be an absolute path")),
  ),
  directIo: flag,
});

const boot = v.union(
  [
    v.strictObject({
      kernel: v.optional(path),
      initrd: v.optional(path),
      cmdline: v.optional(oneLine),
    }),
    v.strictObject({ firmware: path }),
  ],
  "must be a kernel (with an initrd and a cmdline, if need be) or a firmware",
);

/** The form of a VmSpec; what needs to know the host is checked in `resolveSpec`. */
export const vmSpecSchema = v.strictObject({
  id: v.optional(v.string()),
  name: v.optional(v.string()),
  backend: v.optional(v.string()),
  cpus: v.optional(
    v.pipe(v.number(), v.integer("must be a whole number"), v.minValue(1, "must be at least 1")),
  ),
  memoryBytes: v.optional(size),
  storageBytes: v.optional(size),
  image: v.optional(v.pipe(v.string(), v.nonEmpty("must not be empty"))),
  pull: v.optional(
    v.picklist(["missing", "always", "never"], 'must be "missing", "always" or "never"'),
  ),
  boot: v.optional(boot),
  guest: v.optional(guestSchema),
  user: v.optional(v.string()),
  run: v.optional(runSpecSchema),
  imageKernel: v.optional(v.pipe(v.string(), v.nonEmpty("must not be empty"))),
  disks: v.optional(v.array(disk)),
  dataDisks: v.optional(v.array(dataDisk)),
  nics: v.optional(
    v.pipe(v.number(), v.integer("must be a whole number"), v.minValue(0, "must not be negative")),
  ),
  bridge: v.optional(v.pipe(v.string(), v.nonEmpty("must not be empty"))),
  network: v.optional(v.pipe(v.string(), v.nonEmpty("must not be empty"))),
  macs: v.optional(v.array(v.string())),
  dns: v.optional(v.array(v.string())),
  netQueueSize: queueSize,
  diskQueueSize: queueSize,
  noDirectIo: flag,
  windows: flag,
  sharedMemory: flag,
  hugepages: flag,
  labels: v.optional(labelsSchema),
});
