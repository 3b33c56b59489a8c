import { isOpaqueNumber } from "@silkvm/ch-client";
import { snapshotUnsupported } from "@silkvm/storage";
import { isObject, type JsonObject, objectsAt } from "./snapshot-documents.ts";
import { configName } from "./snapshot-names.ts";

/**
 * What the VMM is told by a snapshot's config.json it does, with the rights of whoever runs it: files that it opens, sockets that it connects to. So
 * only what silk itself sets is let in, and every text in it that is not known to be harmless is refused, also in fields of later versions.
 * Numbers and booleans of any field may stay.
 */
const texts: Readonly<Record<string, readonly string[]>> = {
  cpus: ["core_scheduling", "profile"],
  memory: ["hotplug_method"],
  // All of these are replaced by what the VM's record says.
  payload: ["kernel", "firmware", "initramfs", "cmdline"],
  disks: ["id", "path", "serial", "image_type", "lock_granularity", "rate_limit_group"],
  net: ["id", "tap", "mac", "host_mac", "vhost_mode"],
  rng: ["src"],
  balloon: ["id"],
  serial: ["mode", "socket"],
  console: ["mode", "file"],
  debug_console: ["mode"],
  platform: ["serial_number", "uuid", "oem_strings"],
  rate_limit_groups: ["id"],
  pci_segments: [],
};

/** Sections that are a plain value. */
const flags: ReadonlySet<string> = new Set(["pvpanic", "iommu", "watchdog", "landlock_enable"]);

const idPattern = /^[A-Za-z0-9_.-]{1,64}$/;

/**
 * Checks that a config holds nothing but what silk sets.
 * @throws SilkError `SNAPSHOT_UNSUPPORTED` that names the field
 */
export function checkAllowed(config: JsonObject): void {
  for (const [section, value] of Object.entries(config)) {
    if (value === null || (flags.has(section) && typeof value === "boolean")) continue;
    const known = Object.hasOwn(texts, section) ? texts[section] : undefined;
    if (known === undefined) {
      if (Array.isArray(value) && value.length === 0) continue;
      throw refuse(section);
    }
    for (const object of Array.isArray(value) ? value : [value]) {
      if (!isObject(object)) throw refuse(section);
      for (const [key, content] of Object.entries(object)) {
        if (!known.includes(key) && hasText(content)) throw refuse(`${section}.${key}`);
      }
    }
  }
  checkDevices(config);
}

function checkDevices(config: JsonObject): void {
  for (const section of ["disks", "net"] as const) {
    for (const device of objectsAt(config, section, configName)) {
      if (device["vhost_user"] === true) throw refuse(`${section}.vhost_user`);
      if (device["fds"] !== undefined && device["fds"] !== null) throw refuse(`${section}.fds`);
      if (typeof device["id"] !== "string" || !idPattern.test(device["id"]))
        throw refuse(`${section}.id`);
    }
  }
  checkQueues(config);
  for (const disk of objectsAt(config, "disks", configName)) {
    if (disk["image_type"] !== "Raw" && disk["image_type"] !== "Qcow2")
      throw refuse("disks.image_type");
  }
  const { cpus, rng, debug_console: debugConsole, landlock_enable: landlock } = config;
  // vCPUs pinned to CPUs that this host has not would never start, and a topology with a zero in it ends the VMM.
  for (const field of ["affinity", "topology"] as const)
    if (isObject(cpus) && isSet(cpus[field])) throw refuse(`cpus.${field}`);
  if (isObject(rng) && rng["src"] !== "/dev/urandom") throw refuse("rng.src");
  if (isObject(debugConsole) && debugConsole["mode"] !== "Off") throw refuse("debug_console.mode");
  if (landlock === true) throw refuse("landlock_enable");
}

const largestQueue = 32_768;

/** Queues that the VMM would refuse, when it is too late. */
function checkQueues({ cpus, ...config }: JsonObject): void {
  const vcpus = isObject(cpus) ? Number(cpus["boot_vcpus"]) : 0;
  for (const [section, queuesOfVcpu] of [
    ["disks", 1],
    ["net", 2],
  ] as const) {
    for (const { num_queues: count, queue_size: size } of objectsAt(config, section, configName)) {
      if (isSet(count) && !isWhole(count, queuesOfVcpu, vcpus * queuesOfVcpu))
        throw refuse(`${section}.num_queues`);
      if (isSet(size) && !(isWhole(size, 2, largestQueue) && Number.isInteger(Math.log2(size))))
        throw refuse(`${section}.queue_size`);
    }
  }
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}

function hasText(value: unknown): boolean {
  if (typeof value === "string") return true;
  if (isOpaqueNumber(value)) return false;
  if (Array.isArray(value)) return value.some(hasText);
  return isObject(value) && Object.entries(value).some(([, content]) => hasText(content));
}

function refuse(field: string): Error {
  return snapshotUnsupported(
    `the snapshot has something that silk does not restore: ${field} in its ${configName}`,
    { details: { field } },
  );
}
