import { toReplay } from "./paths.ts";

/** A device of a snapshot's config, as far as a replay edits it. */
export interface MutableDevice {
  id?: string | undefined;
  path?: string;
  num_queues?: number;
  queue_size?: number;
  readonly?: boolean;
  image_type?: string;
  tap?: string;
  host_mac?: string | undefined;
  [key: string]: unknown;
}

/** A snapshot's config, as far as a replay edits it. */
export interface MutableConfig {
  disks?: MutableDevice[] | null;
  net?: MutableDevice[] | null;
  console?: { mode: string; file?: string };
  serial?: { mode: string; file?: string };
  cpus?: { boot_vcpus: number; max_vcpus: number };
  payload?: Record<string, unknown> | undefined;
  watchdog?: boolean;
  balloon?: unknown;
  [key: string]: unknown;
}

type Edit = (config: MutableConfig, found: readonly string[], step: string) => void;

/** What was wrong with a config, told by the error that came of it. */
const EDITS: ReadonlyArray<readonly [RegExp, Edit]> = [
  [
    /\(path=(\S+) op=open\)/,
    (config, [path = ""]) => {
      const disk = config.disks?.find((one) => one.readonly !== true) ?? config.disks?.[0];
      if (disk !== undefined) disk.path = toReplay(path);
    },
  ],
  [
    /Queue count \((\d+)\) must not exceed/,
    (config, [count], step) => {
      const device = config[/\bnet\b/.test(step) ? "net" : "disks"]?.[0] ?? config.net?.[0];
      if (device !== undefined) device.num_queues = Number(count);
    },
  ],
  [
    /Queue size must be a power of 2[^:]*: (\d+)/,
    (config, [size]) => {
      const device = config.disks?.[0] ?? config.net?.[0];
      if (device !== undefined) device.queue_size = Number(size);
    },
  ],
  [/already used: (\d+)/, (config, [slot], step) => addDevice(config, Number(slot), step)],
  [
    /Failed to get (Read|Write) lock for disk image: (\S+)/,
    (config, [kind, path = ""]) => shareDisk(config, kind === "Read", toReplay(path)),
  ],
  [
    /No bootitem provided/,
    (config) => {
      delete config.payload;
    },
  ],
  [
    /Cannot open initramfs file/,
    (config) => {
      config.payload = { ...config.payload, initramfs: "missing" };
    },
  ],
  [
    /Max CPUs \((\d+)\) lower than boot CPUs \((\d+)\)/,
    (config, [max, boot]) => {
      config.cpus = { ...config.cpus, max_vcpus: Number(max), boot_vcpus: Number(boot) };
    },
  ],
  [
    /Identifier (\S+) is not unique/,
    (config, [id]) => {
      for (const device of [...(config.disks ?? []), ...(config.net ?? [])]) device.id = id;
    },
  ],
  [
    /Interface name too long[^:]*: (\S+)/,
    (config, [tap = ""]) => {
      const net = config.net?.[0];
      if (net !== undefined) net.tap = tap;
    },
  ],
];

/** Edits a config so that it fails as recorded. Says whether it was the config that was wrong, as far as that can be told. */
export function failAsRecorded(
  config: MutableConfig,
  errors: readonly string[],
  step: string,
): boolean {
  const text = errors.join("\n");
  for (const [pattern, edit] of EDITS) {
    const found = pattern.exec(text);
    if (found === null) continue;
    edit(config, found.slice(1), step);
    return true;
  }
  return false;
}

/**
 * Adds a device that takes a slot which another one wants back: the next free one at its turn. Which kind it is of is said by
 * the step, or by what stands in the slot before: devices take their turns by kind.
 */
function addDevice(config: MutableConfig, slot: number, step: string): void {
  const word = /\b(console|disk|net)\b/.exec(step)?.[1];
  if (word === "console" || (word === undefined && slot === 1)) {
    config.console = { ...config.console, mode: "Null" };
    return;
  }
  const consoles = config.console === undefined || config.console.mode === "Off" ? 0 : 1;
  const disks = config.disks?.length ?? 0;
  if (word === "net" || (word === undefined && slot - 1 > consoles + disks)) {
    config.net = [
      ...(config.net ?? []),
      { ...config.net?.[0], tap: "extratap", host_mac: undefined, id: "extra" },
    ];
  } else if (config.disks?.[0] !== undefined) {
    config.disks.push({ ...config.disks[0], id: "extra" });
  }
}

/** Makes two devices want one disk, unless somebody else holds it anyway. */
function shareDisk(config: MutableConfig, readonly: boolean, path: string): void {
  const holder = config.disks?.find((disk) => disk.path === path);
  if (holder === undefined) {
    const disk = config.disks?.find((one) => (one.readonly === true) === readonly);
    if (disk !== undefined) disk.path = path;
    return;
  }
  const other = config.disks?.find(
    (disk) =>
      disk !== holder &&
      (disk.readonly === true) === readonly &&
      disk.image_type === holder.image_type,
  );
  if (other === undefined) config.disks?.push({ ...holder, readonly, id: "extra" });
  else other.path = path;
}
