import type { VmConfig } from "../config/types.ts";
import { validateConfig } from "../config/validate.ts";
import { VmmError } from "../errors.ts";
import type { CommandLine } from "./command-line.ts";
import * as devices from "./devices.ts";
import * as machine from "./machine.ts";

/** The config that the command line describes, checked as the real program checks it. Throws a VmmError. */
export function configFromArguments(line: CommandLine): VmConfig {
  const each = <T>(name: string, parse: (text: string) => T): T[] | undefined =>
    line.many(name)?.map((text) => parse(text));
  const maybe = <T>(name: string, parse: (text: string) => T): T | undefined => {
    const text = line.many(name)?.at(-1);
    return text === undefined ? undefined : parse(text);
  };
  const always = <T>(name: string, parse: (text: string) => T): T => parse(line.one(name) ?? "");

  // The order is that in which the real program reads them: the first fault is the one that is told.
  const read = {
    rate_limit_groups: each("rate-limit-group", devices.parseRateLimitGroup),
    disks: each("disk", devices.parseDisk),
    net: each("net", devices.parseNet),
    rng: always("rng", devices.parseRng),
    rtc: maybe("rtc", devices.parseRtc),
    balloon: maybe("balloon", devices.parseBalloon),
    fs: each("fs", devices.parseFs),
    generic_vhost_user: each("generic-vhost-user", devices.parseGenericVhostUser),
    pmem: each("pmem", devices.parsePmem),
    console: always("console", machine.parseConsole),
    serial: always("serial", machine.parseSerial),
    debug_console: always("debug-console", machine.parseDebugConsole),
    devices: each("device", devices.parseDevice),
    user_devices: each("user-device", devices.parseUserDevice),
    vdpa: each("vdpa", devices.parseVdpa),
    vsock: maybe("vsock", devices.parseVsock),
    pci_segments: each("pci-segment", machine.parsePciSegment),
    platform: maybe("platform", machine.parsePlatform),
    numa: each("numa", machine.parseNuma),
    payload: Object.fromEntries(
      ["firmware", "kernel", "cmdline", "initramfs"].flatMap((name) => {
        const value = line.many(name)?.at(-1);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    tpm: maybe("tpm", machine.parseTpm),
    landlock_rules: each("landlock-rules", machine.parseLandlockRule),
    cpus: always("cpus", machine.parseCpus),
    memory: machine.parseMemory(line.one("memory") ?? "", line.many("memory-zone")),
    pvpanic: line.count("pvpanic") > 0,
    iommu: false,
    watchdog: line.count("watchdog") > 0,
    landlock_enable: line.count("landlock") > 0,
  };
  const config = Object.fromEntries(
    Object.entries(read).filter(([, value]) => value !== undefined),
  ) as unknown as VmConfig;
  try {
    validateConfig(config);
  } catch (error) {
    throw error instanceof VmmError
      ? new VmmError("Validation", "Error validating configuration", error)
      : error;
  }
  return config;
}
