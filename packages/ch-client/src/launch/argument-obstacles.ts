import type { RateLimiterConfig } from "../schema/rate-limits.ts";
import type { VmConfig } from "../schema/vm-config.ts";
import { toVmConfig, type VmmLaunch } from "./launch.ts";

/** Whether the VMM's command line has a form for the description. */
export function isExpressibleAsArgs(launch: VmmLaunch): boolean {
  return argumentObstacles(launch).length === 0;
}

/**
 * Why the VMM's command line has no form for the description; empty where it has. Commas, quotes and brackets in paths are
 * no obstacle, they are quoted: but lists of strings know no quotes, and some fields of the API have no argument, or none with their value.
 */
export function argumentObstacles(launch: VmmLaunch): readonly string[] {
  const vm = toVmConfig(launch);
  return [
    ...impossibleStrings("", launch),
    ...payloadObstacles(vm),
    ...consoleObstacles(vm),
    ...(vm.iommu === true ? ["iommu: it follows from the devices"] : []),
    ...unlistableStrings("platform.oem_strings", vm.platform?.oem_strings),
    ...each("numa", vm.numa, (at, numa) => [
      ...unlistableStrings(`${at}.memory_zones`, numa.memory_zones),
      ...emptyList(`${at}.cpus`, numa.cpus),
      ...emptyList(`${at}.memory_zones`, numa.memory_zones),
    ]),
    ...each("cpus.affinity", vm.cpus?.affinity, (at, { host_cpus }) =>
      emptyList(`${at}.host_cpus`, host_cpus),
    ),
    ...each("disks", vm.disks, (at, disk) => [
      ...each(`${at}.queue_affinity`, disk.queue_affinity, (queue, { host_cpus }) =>
        emptyList(`${queue}.host_cpus`, host_cpus),
      ),
      ...idleLimits(`${at}.rate_limiter_config`, disk.rate_limiter_config),
    ]),
    ...each("net", vm.net, (at, net) =>
      idleLimits(`${at}.rate_limiter_config`, net.rate_limiter_config),
    ),
    ...each("rate_limit_groups", vm.rate_limit_groups, (at, group) =>
      idleLimits(`${at}.rate_limiter_config`, group.rate_limiter_config),
    ),
    ...each("fs", vm.fs, behindIommu),
    ...each("user_devices", vm.user_devices, behindIommu),
    ...each("generic_vhost_user", vm.generic_vhost_user, (at, device) => [
      ...behindIommu(at, device),
      ...emptyList(`${at}.queue_sizes`, device.queue_sizes),
    ]),
  ];
}

/** The program wants something to boot as soon as anything is said of the VM. */
function payloadObstacles(vm: VmConfig): string[] {
  const said = Object.values(vm).some((value) => value !== undefined && value !== false);
  const bootable =
    vm.payload?.kernel !== undefined ||
    vm.payload?.firmware !== undefined ||
    vm.payload?.igvm !== undefined;
  return said && !bootable ? ["payload: neither kernel nor firmware"] : [];
}

function consoleObstacles(vm: VmConfig): string[] {
  const lacking = (["serial", "console", "debug_console"] as const).filter((name) => {
    const console = vm[name];
    if (console?.mode === "File") return (console.file ?? "") === "";
    return console?.mode === "Socket" && ("socket" in console ? (console.socket ?? "") : "") === "";
  });
  return lacking.map((name) => `${name}: mode ${vm[name]?.mode} without a path`);
}

/** Strings that no argument of any program can hold. */
function impossibleStrings(at: string, value: unknown): string[] {
  if (typeof value === "string") {
    if (value.includes("\0")) return [`${at}: a zero byte`];
    return value.isWellFormed() ? [] : [`${at}: not a well-formed string`];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    impossibleStrings(at === "" ? key : `${at}.${key}`, inner),
  );
}

function unlistableStrings(at: string, values: readonly string[] | undefined): string[] {
  return values?.some((value) => /[,[\]"]|^\s|\s$|^$/u.test(value)) === true
    ? [`${at}: a comma, quote, bracket or space at the edge in a list`]
    : [];
}

function emptyList(at: string, values: readonly unknown[] | undefined): string[] {
  return values?.length === 0 ? [`${at}: an empty list`] : [];
}

/** The program drops a bucket of no size, or one that is filled at once, where the API keeps it. */
function idleLimits(at: string, limits: RateLimiterConfig | undefined): string[] {
  return (["bandwidth", "ops"] as const)
    .filter(
      (name) =>
        limits?.[name] !== undefined &&
        (Number(limits[name].size) === 0 || Number(limits[name].refill_time) === 0),
    )
    .map((name) => `${at}.${name}: a size or refill time of 0`);
}

function behindIommu(at: string, { iommu }: { readonly iommu?: boolean | undefined }): string[] {
  return iommu === true ? [`${at}.iommu: not for this kind of device`] : [];
}

function each<T>(
  at: string,
  values: readonly T[] | undefined,
  check: (at: string, value: T) => string[],
): string[] {
  return values?.flatMap((value, index) => check(`${at}[${index}]`, value)) ?? [];
}
