import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { makeFile } from "./files.ts";
import { prepareConfig, prepareDirectories, prepareTaps } from "./prepare-files.ts";
import { environmentFor } from "./host-env.ts";
import type { Program } from "./program.ts";
import type { KnownConfig } from "./recording.ts";
import { prepareSnapshot } from "./restore-edits.ts";
import { asJson, type CallRow, callName, errorsOf, type ProcRow } from "./rows.ts";
import { claimsOf, conflict, wantedByArguments, wantedByCall } from "./wanted.ts";
import type { World } from "./world.ts";

/** Makes the host what it was before a program was started. Says the environment that the program is to have. */
export async function prepareStart(
  world: World,
  at: number,
  row: ProcRow,
  name: string | undefined,
): Promise<Record<string, string>> {
  const argv = row.argv ?? [];
  const exit = row.exit === undefined ? world.recording.exitAfter(at) : row;
  const errors = exit === undefined || exit.exit === 0 ? [] : errorsOf(exit);
  prepareDirectories(world, argv, errors);
  const wanted = wantedByArguments(argv);
  const restore = /source_url=([^,]+)/.exec(argv.join(" "))?.[1];
  if (restore !== undefined) {
    prepareSnapshot(world, { at, vmm: name ?? "", step: row.step, url: restore, errors });
  }
  prepareConfig(world, wanted, errors, `${row.step} ${exit?.step ?? ""}`);
  prepareTaps(world, wanted, errors);
  if (errors.length === 0) {
    await clearTheWay(world, at, wanted, name);
    await prepareSockets(world, wanted, []);
    dropStaleSockets(world, wanted, ["serial", "console", "vsock"]);
  }
  return {
    ...environmentFor(world.recording, at),
    CH_SIM_TAP_DIR: world.sandbox.taps,
    CH_SIM_CONTROL: world.sandbox.own(`${name ?? "program"}.control`),
  };
}

/** Makes the host what it was before a call. */
export async function prepareCall(world: World, at: number, row: CallRow): Promise<void> {
  const name = callName(row);
  const errors = row.status < 300 ? [] : errorsOf(row);
  const program = world.sandbox.named(row.vmm);
  const wanted = wantedByCall(row);
  if (name === "vm.create") {
    if (wanted === undefined) return;
    prepareDirectories(world, [JSON.stringify(wanted)], errors);
    if (errors.length === 0) {
      world.created.set(row.vmm, wanted);
      await clearTheWay(
        world,
        at,
        { serial: wanted["serial"], console: wanted["console"] },
        row.vmm,
      );
      dropStaleSockets(world, wanted, ["serial", "console"]);
    }
  } else if (name === "vm.boot" && program !== undefined) {
    const info = await world.info(program);
    if (info?.state === "Created") {
      await prepareDevices(world, at, row, info.config, errors);
      if (errors.length === 0) dropStaleSockets(world, info.config, ["vsock"]);
    }
  } else if (name === "vm.restore") {
    const { source_url: url } = (asJson(row.request) ?? {}) as { source_url?: string };
    if (url === undefined) return;
    prepareSnapshot(world, { at, vmm: row.vmm, step: row.step, url, errors });
    const config =
      world.recording.configAfter(at, row.vmm) ??
      world.snapshots.configIn(world.sandbox.where(url.replace("file://", "")));
    if (config !== undefined) {
      await prepareDevices(world, at, row, config, errors);
      if (errors.length === 0) dropStaleSockets(world, config, ["serial", "console", "vsock"]);
    }
  } else if (name === "vm.snapshot") prepareDestination(world, at, row, errors);
  else if (wanted !== undefined) {
    prepareDirectories(world, [JSON.stringify(wanted)], errors);
    await prepareDevices(world, at, row, wanted, errors);
    if (errors.length === 0) dropStaleSockets(world, wanted, ["vsock"]);
  }
}

async function prepareDevices(
  world: World,
  at: number,
  row: CallRow,
  config: KnownConfig,
  errors: readonly string[],
): Promise<void> {
  prepareConfig(world, config, errors, row.step);
  prepareTaps(world, config, errors);
  await prepareSockets(world, config, errors);
  if (errors.length === 0) await clearTheWay(world, at, config, row.vmm);
}

/** Backends of vhost-user devices: there where it went well, gone where a socket was missing. */
async function prepareSockets(
  world: World,
  config: KnownConfig,
  errors: readonly string[],
): Promise<void> {
  const devices = [
    ...((config["fs"] ?? []) as Record<string, unknown>[]),
    ...(config.net ?? []),
    ...(config.disks ?? []),
  ];
  for (const device of devices) {
    const path = device["vhost_socket"] ?? device["socket"];
    if (typeof path !== "string") continue;
    const place = world.sandbox.place(path);
    if (errors.length === 0) await world.backends.listen(place);
    else if (errors.some((text) => text.includes("can't connect to peer: No such file")))
      rmSync(place, { force: true });
  }
}

/** Removes sockets that killed VMMs left where a VMM is about to make its own. */
function dropStaleSockets(world: World, config: KnownConfig, keys: readonly string[]): void {
  for (const key of keys) {
    const path = (config[key] as { socket?: string } | null | undefined)?.socket;
    if (path !== undefined) rmSync(world.sandbox.place(path), { force: true });
  }
}

/** Ends the VMMs that the recorder must have ended, since something went well that they would have kept from it. */
async function clearTheWay(
  world: World,
  at: number,
  config: KnownConfig,
  own: string | undefined,
): Promise<void> {
  const claims = claimsOf(config);
  if (claims.disks.size + claims.taps.size + claims.sockets.size === 0) return;
  for (const program of world.sandbox.running) {
    if (program.name === own || !world.startedAt.has(program)) continue;
    if ([...world.recording.callsAfter(at, program.name)].length > 0) continue;
    const info = await claimsOfProgram(world, program);
    if (info !== undefined && conflict(claims, claimsOf(info))) await program.kill();
  }
}

async function claimsOfProgram(world: World, program: Program): Promise<KnownConfig | undefined> {
  const info = await world.info(program);
  if (info === undefined) return undefined;
  return info.state === "Created"
    ? { serial: info.config["serial"], console: info.config["console"] }
    : info.config;
}

/** The directory of a snapshot: there or not, and with what else in it, as the answer and the notes after it tell. */
function prepareDestination(
  world: World,
  at: number,
  row: CallRow,
  errors: readonly string[],
): void {
  const { destination_url: url } = (asJson(row.request) ?? {}) as { destination_url?: string };
  if (url?.startsWith("file://") !== true) return;
  const recorded = url.slice("file://".length);
  const directory = recorded.startsWith("/")
    ? world.sandbox.where(recorded)
    : join(world.sandbox.root, recorded);
  world.lastSnapshot = directory;
  const notes = world.recording.notesAfter(at);
  const notADirectory = errors.some((text) => text.startsWith("Destination is not a directory"));
  if (notADirectory || notes[0]?.["exists"] === false) {
    rmSync(directory, { recursive: true, force: true });
    return;
  }
  const files = notes.find((note) => Array.isArray(note["files"]))?.["files"] as
    | { name: string; size: number }[]
    | undefined;
  const tried = errors.length === 0 || errors.some((text) => text.includes("snapshot file"));
  if (!tried && files === undefined) return;
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const own = ["config.json", "state.json", "memory-ranges"];
  if (errors.length === 0) for (const name of own) rmSync(join(directory, name), { force: true });
  for (const file of files ?? [])
    if (!own.includes(file.name)) makeFile(join(directory, file.name), file.size);
}
