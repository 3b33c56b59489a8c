import * as v from "valibot";

const path = v.pipe(v.string(), v.nonEmpty("must not be empty"));
const names = v.array(v.pipe(v.string(), v.nonEmpty("must not be empty")), "must be a list");
const milliseconds = v.pipe(
  v.number("must be a whole number of milliseconds"),
  v.integer("must be a whole number of milliseconds"),
  v.minValue(0, "must not be negative"),
);

/**
 * The settings of an engine, each with its value: the configuration file, the environment, the flags and `silk config` all go by this.
 * The environment's name of a setting is `SILK_` and its words in upper case: `rootDir` is `SILK_ROOT_DIR`.
 */
export interface EngineConfig {
  /** Where VMs and their disks are kept. */
  readonly rootDir: string;
  /** Where sockets are made. On a file system that is empty after a boot. */
  readonly runDir: string;
  /** Where the VMMs' output goes. */
  readonly logDir: string;
  /** Backend of a VM that names none; `auto` for the first that can run VMs here. */
  readonly backend: string;
  /** The `cloud-hypervisor` program: a name on PATH, or a path. */
  readonly chBinary: string;
  /** The UEFI firmware for Cloud Hypervisor, for images that boot by one: a path. Empty: the first that is found. */
  readonly chFirmware: string;
  /** The `qemu-system-x86_64` program: a name on PATH, or a path. */
  readonly qemuBinary: string;
  /** QEMU's type of machine: `q35`, or `microvm`, which boots kernels only and takes no devices while it runs. */
  readonly qemuMachine: string;
  /** What runs the code of QEMU's guests: `kvm`, `tcg` (by translating it), or `auto`: KVM where it works. */
  readonly qemuAccel: "auto" | "kvm" | "tcg";
  /** The `virtiofsd` program, which serves directories of the host to VMs: a name on PATH, or a path. */
  readonly virtiofsd: string;
  /** How much is logged, to stderr in the CLI. */
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  /** How long a guest may take to shut down. */
  readonly stopGraceMs: number;
  /** How long a VMM may take until its guest runs. */
  readonly startTimeoutMs: number;
  /** How long a hook may take. */
  readonly hookTimeoutMs: number;
  /** How many VMs one command works on at once: 1 to 1,024. */
  readonly concurrency: number;
  /** Names of npm packages to load as plugins besides those that come with silk. */
  readonly plugins: readonly string[];
  /** Names of plugins without which no VM and no snapshot is changed: those whose hooks are a policy. */
  readonly requiredPlugins: readonly string[];
}

/** Every setting, and what it may be. */
export const configSchema = v.strictObject({
  rootDir: path,
  runDir: path,
  logDir: path,
  backend: path,
  chBinary: path,
  chFirmware: v.string("must be the path of a file"),
  qemuBinary: path,
  qemuMachine: v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "must be a type of machine, such as q35 or microvm"),
  ),
  qemuAccel: v.picklist(["auto", "kvm", "tcg"], "must be auto, kvm or tcg"),
  virtiofsd: path,
  logLevel: v.picklist(
    ["debug", "info", "warn", "error", "silent"],
    "must be debug, info, warn, error or silent",
  ),
  stopGraceMs: milliseconds,
  startTimeoutMs: milliseconds,
  hookTimeoutMs: milliseconds,
  concurrency: v.pipe(
    v.number("must be a whole number"),
    v.integer("must be a whole number"),
    v.minValue(1, "must be at least 1"),
    v.maxValue(1024, "must be at most 1024"),
  ),
  plugins: names,
  requiredPlugins: names,
}) satisfies v.GenericSchema<EngineConfig>;

/** Where a setting's value comes from. */
export type ConfigOrigin = "default" | "file" | "environment" | "flag";
