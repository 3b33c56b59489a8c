import * as v from "valibot";

const path = v.pipe(v.string(), v.nonEmpty("must not be empty"));
const milliseconds = v.pipe(
  v.number("must be a whole number of milliseconds"),
  v.integer("must be a whole number of milliseconds"),
  v.minValue(0, "must not be negative"),
);

/**
 * Every setting, once: the configuration file, the environment, the flags and `silk config` all go by this.
 * The environment's name of a setting is `SILK_` and its words in upper case: `rootDir` is `SILK_ROOT_DIR`.
 */
export const configSchema = v.strictObject({
  /** Where VMs and their disks are kept. */
  rootDir: path,
  /** Where sockets are made. On a file system that is empty after a boot. */
  runDir: path,
  /** Where the VMMs' output goes. */
  logDir: path,
  /** Backend of a VM that names none. */
  backend: path,
  /** The `cloud-hypervisor` program: a name on PATH, or a path. */
  chBinary: path,
  /** The UEFI firmware for Cloud Hypervisor, for images that boot by one: a path. Empty: the first that is found. */
  chFirmware: v.string("must be the path of a file"),
  /** The `virtiofsd` program, which serves directories of the host to VMs: a name on PATH, or a path. */
  virtiofsd: path,
  /** `debug`, `info`, `warn`, `error` or `silent`. */
  logLevel: v.picklist(
    ["debug", "info", "warn", "error", "silent"],
    "must be debug, info, warn, error or silent",
  ),
  /** How long a guest may take to shut down. */
  stopGraceMs: milliseconds,
  /** How long a VMM may take until its guest runs. */
  startTimeoutMs: milliseconds,
  /** How long a hook may take. */
  hookTimeoutMs: milliseconds,
  /** How many VMs one command works on at once. */
  concurrency: v.pipe(
    v.number("must be a whole number"),
    v.integer("must be a whole number"),
    v.minValue(1, "must be at least 1"),
    v.maxValue(1024, "must be at most 1024"),
  ),
  /** Names of npm packages to load as plugins besides those that come with silk. */
  plugins: v.array(v.pipe(v.string(), v.nonEmpty("must not be empty"))),
});

export type EngineConfig = Readonly<v.InferOutput<typeof configSchema>>;

/** Where a setting's value comes from. */
export type ConfigOrigin = "default" | "file" | "environment" | "flag";
