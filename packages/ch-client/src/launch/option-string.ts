import type { Int64, PciDeviceCommonConfig } from "../schema/common.ts";
import type { RateLimiterConfig } from "../schema/rate-limits.ts";

/** One `key=value` of an argument; undefined where it is left out. */
export type Option = string | undefined;

/** The options as the VMM's command line has them: `key=value`, with commas between. */
export function optionString(options: readonly Option[]): string {
  return options.filter((option) => option !== undefined).join(",");
}

/** A string. Where the VMM's parser would take it apart, it goes in quotes. */
export function text(key: string, value: string | undefined): Option {
  return value === undefined ? undefined : `${key}=${quoted(value)}`;
}

export function number(key: string, value: Int64 | undefined): Option {
  return value === undefined ? undefined : `${key}=${value}`;
}

/** A number of which 0 means the VMM's default. */
export function positive(key: string, value: Int64 | undefined): Option {
  return value === undefined || Number(value) === 0 ? undefined : `${key}=${value}`;
}

/** A switch that is off by default: `key=on` or nothing. */
export function on(key: string, value: boolean | undefined): Option {
  return value === true ? `${key}=on` : undefined;
}

/** A switch that is on by default: as it is said, or nothing. */
export function onOff(key: string, value: boolean | undefined): Option {
  return value === undefined ? undefined : `${key}=${value ? "on" : "off"}`;
}

/** Integers, or strings that need no quotes: `key=[a,b]`. An empty list says nothing. */
export function list(key: string, values: readonly (Int64 | string)[] | undefined): Option {
  return values === undefined || values.length === 0 ? undefined : `${key}=[${values.join(",")}]`;
}

/** Pairs: `key=[0@[1,2],1@[3]]`. */
export function pairs(
  key: string,
  values: readonly (readonly [Int64, Int64 | readonly Int64[]])[] | undefined,
): Option {
  const written = values?.map(
    ([left, right]) => `${left}@${typeof right === "object" ? `[${right.join(",")}]` : right}`,
  );
  return list(key, written);
}

/** What devices on the PCI bus have in common. */
export function pciOptions(device: PciDeviceCommonConfig): Option[] {
  return [
    text("id", device.id),
    on("iommu", device.iommu),
    positive("pci_segment", device.pci_segment),
    number("pci_device_id", device.pci_device_id),
  ];
}

export function rateLimitOptions(limits: RateLimiterConfig | undefined): Option[] {
  return [
    number("bw_size", limits?.bandwidth?.size),
    number("bw_one_time_burst", limits?.bandwidth?.one_time_burst),
    number("bw_refill_time", limits?.bandwidth?.refill_time),
    number("ops_size", limits?.ops?.size),
    number("ops_one_time_burst", limits?.ops?.one_time_burst),
    number("ops_refill_time", limits?.ops?.refill_time),
  ];
}

/** Commas, brackets and quotes mean something to the parser, it trims what is at the edges, and an empty value counts as none. */
const special = /[,[\]"]|^\s|\s$|^$/u;

/** Inside of quotes everything is literal, but for the quote, which is doubled. */
function quoted(value: string): string {
  return special.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
