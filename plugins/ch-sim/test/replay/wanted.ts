import type { KnownConfig, KnownDisk } from "./recording.ts";
import { asJson, type CallRow, callName } from "./rows.ts";

/** The config that a VMM's arguments ask for, as far as a replay has to know it. */
export function wantedByArguments(argv: readonly string[]): KnownConfig {
  const values = new Map<string, string[]>();
  let flag = "";
  for (const word of argv.slice(1)) {
    if (word.startsWith("--")) flag = word;
    else values.set(flag, [...(values.get(flag) ?? []), word]);
  }
  const one = (name: string): string | undefined => values.get(name)?.[0];
  const sets = (name: string): Record<string, string>[] => (values.get(name) ?? []).map(options);
  const console = (name: string): Record<string, string> => {
    const [mode = "", value] = (one(name) ?? "").split("=");
    return value === undefined ? { mode } : { mode, [mode]: value };
  };
  const payload = {
    kernel: one("--kernel"),
    initramfs: one("--initramfs"),
    firmware: one("--firmware"),
  };
  return {
    payload: JSON.parse(JSON.stringify(payload)) as NonNullable<KnownConfig["payload"]>,
    disks: sets("--disk").map((disk): KnownDisk => ({
      ...disk,
      readonly: disk["readonly"] === "on",
      backing_files: disk["backing_files"] === "on",
    })),
    net: sets("--net"),
    fs: sets("--fs"),
    pmem: sets("--pmem"),
    serial: console("--serial"),
    console: console("--console"),
  };
}

function options(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(",").map((part) => {
      const equals = part.indexOf("=");
      return equals === -1 ? [part, ""] : [part.slice(0, equals), part.slice(equals + 1)];
    }),
  );
}

/** The config, or the part of one, that a call asks for; undefined where it asks for none. */
export function wantedByCall(row: CallRow): KnownConfig | undefined {
  const body = asJson(row.request) as Record<string, unknown> | null | undefined;
  if (body === null || typeof body !== "object") return undefined;
  switch (callName(row)) {
    case "vm.create":
      return body;
    case "vm.add-disk":
      return { disks: [body] };
    case "vm.add-net":
      return { net: [body] };
    case "vm.add-fs":
      return { fs: [body] };
    case "vm.add-pmem":
      return { pmem: [body] };
    case "vm.add-vsock":
      return { vsock: body };
    default:
      return undefined;
  }
}

/** What only one VMM can have at a time. */
export interface Claims {
  /** Files of disks: whether somebody writes. */
  readonly disks: ReadonlyMap<string, boolean>;
  readonly taps: ReadonlySet<string>;
  readonly sockets: ReadonlySet<string>;
}

/** What a config claims. */
export function claimsOf(config: KnownConfig): Claims {
  const list = (key: string): Record<string, unknown>[] =>
    (config[key] ?? []) as Record<string, unknown>[];
  const sockets = [config["serial"], config["console"], config["vsock"]]
    .map((device) => (device as { socket?: string } | null | undefined)?.socket)
    .filter((path) => path !== undefined);
  return {
    disks: new Map(
      list("disks")
        .filter((disk) => typeof disk["path"] === "string")
        .map((disk) => [disk["path"] as string, disk["readonly"] !== true]),
    ),
    taps: new Set(
      list("net")
        .map((net) => net["tap"])
        .filter((tap) => typeof tap === "string"),
    ),
    sockets: new Set(sockets),
  };
}

/** Whether two VMMs cannot have what they claim at the same time. */
export function conflict(a: Claims, b: Claims): boolean {
  for (const [path, writes] of a.disks) {
    const other = b.disks.get(path);
    if (other !== undefined && (other || writes)) return true;
  }
  return !a.taps.isDisjointFrom(b.taps) || !a.sockets.isDisjointFrom(b.sockets);
}
