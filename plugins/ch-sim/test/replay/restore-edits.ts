import {
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { failAsRecorded, type MutableConfig, type MutableDevice } from "./failing-config.ts";
import { locksOf } from "./locks.ts";
import { toReplay } from "./paths.ts";
import type { KnownConfig } from "./recording.ts";
import { asJson } from "./rows.ts";
import type { World } from "./world.ts";

/** A restore that a recording tells of. */
export interface RecordedRestore {
  /** The row's place, its VMM and its step. */
  readonly at: number;
  readonly vmm: string;
  readonly step: string;
  readonly url: string;
  /** What went wrong; empty where nothing did. */
  readonly errors: readonly string[];
}

/**
 * Makes a snapshot's directory what it was in the recording, where somebody outside had edited it. What had been done is told
 * by what came of it: the config that `vm.info` tells afterwards, or the error.
 */
export function prepareSnapshot(world: World, restore: RecordedRestore): void {
  const recorded = restore.url.replace(/^file:\/\//, "");
  const directory = world.sandbox.where(recorded);
  if (restore.errors.some((text) => text.startsWith("Destination is not a directory"))) {
    rmSync(directory, { recursive: true, force: true });
    return;
  }
  const pristine = world.snapshots.refresh(directory);
  if (pristine === undefined) {
    mkdirSync(directory, { recursive: true });
    return;
  }
  const write = (config: unknown): void =>
    writeFileSync(join(directory, "config.json"), JSON.stringify(config));
  const base = asJson(pristine) as MutableConfig;
  if (restore.errors.length > 0) {
    if (!heldElsewhere(world, restore) && failAsRecorded(base, restore.errors, restore.step))
      write(base);
    breakFiles(directory, restore.errors);
    return;
  }
  const told = world.recording.configAfter(restore.at, restore.vmm);
  if (told !== undefined) write(editForSuccess(base, told));
  editMemory(directory, restore.step);
  world.lastRefresh = statSync(join(directory, "memory-ranges"));
}

/** Whether a disk that could not be locked is one that another VMM has: then nobody had to edit anything. */
function heldElsewhere(world: World, { errors, vmm }: RecordedRestore): boolean {
  const path = /lock for disk image: (\S+)/.exec(errors.join("\n"))?.[1];
  if (path === undefined) return false;
  const place = world.sandbox.where(path);
  return (
    existsSync(place) &&
    locksOf(place).length > 0 &&
    world.sandbox.running.some((program) => program.name !== vmm)
  );
}

/** The config that leads to what was told; what the host made up stays as the snapshot has it. */
function editForSuccess(base: MutableConfig, told: KnownConfig): MutableConfig {
  const edited = asJson(toReplay(JSON.stringify(told))) as MutableConfig;
  for (const device of ["console", "serial"] as const) {
    const file = base[device]?.file;
    if (edited[device]?.mode === "Pty" && file !== undefined) edited[device].file = file;
  }
  const known = new Set(devicesOf(base).map((device) => device.id));
  for (const device of devicesOf(edited)) {
    if (device.id !== undefined && /^_[a-z_]+\d+$/.test(device.id) && !known.has(device.id))
      delete device.id;
  }
  for (const net of edited.net ?? []) {
    const own = base.net?.find((other) => other.id === net.id) ?? base.net?.[0];
    if (own?.host_mac !== undefined) net.host_mac = own.host_mac;
  }
  return edited;
}

function devicesOf(config: MutableConfig): MutableDevice[] {
  return Object.values(config).flatMap((value) =>
    Array.isArray(value) ? (value as MutableDevice[]) : [],
  );
}

/** Takes away or breaks the file that an error is about. */
function breakFiles(directory: string, errors: readonly string[]): void {
  const text = errors.join("\n");
  const gone = errors.at(-1)?.startsWith("No such file or directory") === true;
  if (gone && text.includes("Error opening snapshot file"))
    rmSync(join(directory, "memory-ranges"));
  if (gone && text.includes("VM config snapshot file")) rmSync(join(directory, "config.json"));
  if (gone && text.includes("VM state snapshot file")) rmSync(join(directory, "state.json"));
  const broken = /Error deserialising VM (config|state) snapshot/.exec(text)?.[1];
  if (broken !== undefined)
    writeFileSync(join(directory, `${broken}.json`), brokenJson(errors.at(-1) ?? ""));
}

/** A text that a reader of JSON fails over with a given message. */
function brokenJson(message: string): string {
  const found = /^EOF while parsing (?:an? )?(\w+) at line 1 column (\d+)$/.exec(message);
  if (found === null) return "?";
  const column = Number(found[2]);
  switch (found[1]) {
    case "object":
      return "{".padEnd(column);
    case "list":
      return "[".padEnd(column);
    case "string":
      return column === 1 ? '"' : '{"'.padEnd(column, "x");
    default:
      return "".padEnd(column);
  }
}

/** What a step says was done to the memory file, where all goes well nevertheless. */
function editMemory(directory: string, step: string): void {
  const memory = join(directory, "memory-ranges");
  const aside = `${memory}.aside`;
  const truncated = /truncated to (\d+) ?M/.exec(step)?.[1];
  if (truncated !== undefined) {
    copyFileSync(memory, aside);
    renameSync(aside, memory);
    truncateSync(memory, Number(truncated) * 1024 * 1024);
  } else if (/\bsymlink\b/.test(step)) {
    rmSync(aside, { force: true });
    renameSync(memory, aside);
    symlinkSync(aside, memory);
  }
}
