import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

import { makeDisk, makeFile, makeKernel } from "./files.ts";
import { environmentFor } from "./host-env.ts";
import type { Program } from "./program.ts";
import type { KnownConfig } from "./recording.ts";
import { prepareSnapshot } from "./restore-edits.ts";
import { asJson, type CallRow, callName, errorsOf, type ProcRow } from "./rows.ts";
import { claimsOf, conflict, wantedByArguments, wantedByCall } from "./wanted.ts";
import type { World } from "./world.ts";

const MIB = 1024 * 1024;

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

/** Makes the directories of the paths that are named; not the one that an error says is missing. */
function prepareDirectories(
  world: World,
  texts: readonly string[],
  errors: readonly string[],
): void {
  const missing = errors.at(-1)?.startsWith("No such file") === true;
  const chain = errors.join("\n");
  for (const text of texts) {
    for (const [index, found] of [...text.matchAll(/(?<![\w./-])\/[A-Za-z][^\s",]*/g)].entries()) {
      const isSocket = text === found[0] && texts[texts.indexOf(text) - 1] === "--api-socket";
      if (missing && chain.includes("API server's socket") && isSocket) continue;
      if (missing && chain.includes("console device") && index >= 0 && !isSocket) continue;
      const path = world.sandbox.where(found[0]);
      if (path.startsWith(world.sandbox.root)) mkdirSync(dirname(path), { recursive: true });
    }
  }
}

/** Makes the files that a config names, and takes away those that an error says are missing. */
function prepareConfig(
  world: World,
  config: KnownConfig,
  errors: readonly string[],
  step: string,
): void {
  const chain = errors.join("\n");
  const payload = config.payload ?? {};
  const kernel = payload.kernel ?? payload.firmware;
  if (kernel !== undefined) {
    const path = world.sandbox.place(kernel);
    if (/Cannot open (?:kernel|firmware) file/.test(chain)) rmSync(path, { force: true });
    else if (path.startsWith(world.sandbox.root)) {
      if (chain.includes("Invalid bzImage")) writeFileSync(path, "no kernel\n".repeat(500));
      else makeKernel(path);
    }
  }
  if (payload.initramfs !== undefined) {
    const path = world.sandbox.place(payload.initramfs);
    if (chain.includes("initramfs")) rmSync(path, { force: true });
    else makeFile(path, 4096);
  }
  const missing = /\(path=(\S+) op=open\)\nNo such file/.exec(chain)?.[1];
  const directory = /\(path=(\S+) op=open\)\nIs a directory/.exec(chain)?.[1];
  const locked = /lock for disk image: (\S+)\n/.exec(chain)?.[1];
  for (const disk of config.disks ?? []) {
    if (typeof disk.path !== "string") continue;
    const path = world.sandbox.place(disk.path);
    if (!path.startsWith(world.sandbox.root)) continue;
    if (disk.path === missing) rmSync(path, { force: true, recursive: true });
    else if (disk.path === directory) mkdirSync(path, { recursive: true });
    else if (disk.path === locked && !existsSync(path)) linkToLocked(world, path, step);
    else makeDisk(path, { qcow2: path.endsWith(".qcow2"), backing: hasBacking(world, disk.path) });
  }
  for (const pmem of (config["pmem"] ?? []) as { file?: string }[]) {
    if (pmem.file !== undefined && !chain.includes("pmem"))
      makeFile(world.sandbox.place(pmem.file), pmemBytes(world, pmem.file));
  }
}

/** The size of a file that becomes persistent memory, as a tree of devices tells it. */
function pmemBytes(world: World, file: string): number {
  for (const row of world.recording.rows) {
    if (row.kind !== "call" || !row.response.includes('"pmem"')) continue;
    const info = asJson(row.response) as {
      config?: { pmem?: readonly { readonly id?: string; readonly file: string }[] };
      device_tree?: Readonly<Record<string, { readonly resources: readonly unknown[] }>>;
    };
    const id = info.config?.pmem?.find((one) => one.file === file)?.id;
    const resources = JSON.stringify(info.device_tree?.[id ?? ""]?.resources ?? []);
    const size = /"MmioAddressRange":\{"base":\d+,"size":(\d+)/.exec(resources)?.[1];
    if (size !== undefined) return Number(size);
  }
  return 2 * MIB;
}

/** A disk is an overlay where the recording says that its backing files matter. */
function hasBacking(world: World, path: string): boolean {
  return world.recording.rows.some((row) => {
    if (row.kind === "proc") {
      return (
        row.argv?.some(
          (word) => word.includes(`path=${path},`) && word.includes("backing_files=on"),
        ) === true
      );
    }
    if (row.kind !== "call" || row.request?.includes(path) !== true) return false;
    return (
      row.request.includes('"backing_files": true') ||
      row.response.includes("nesting depth exceeded")
    );
  });
}

/** A file that is locked although nobody has opened it is another name of one that is. */
function linkToLocked(world: World, path: string, step: string): void {
  for (const program of world.sandbox.running.toReversed()) {
    const [disk] =
      wantedByArguments(["", ...program.argv]).disks?.filter((one) => one.readonly !== true) ?? [];
    if (disk?.path === undefined) continue;
    const target = join(world.sandbox.root, disk.path);
    if (/symlink/.test(step)) symlinkSync(target, path);
    else linkSync(target, path);
    return;
  }
}

/** TAPs that were of another kind than the NIC wants, and those that are left from an earlier one. */
function prepareTaps(world: World, config: KnownConfig, errors: readonly string[]): void {
  const wrong = errors.includes("Failed to open taps");
  const wrongKind = wrong && errors.includes("Invalid argument (os error 22)");
  for (const net of config.net ?? []) {
    if (typeof net["tap"] !== "string" || net["tap"] === "") continue;
    const file = join(world.sandbox.taps, encodeURIComponent(net["tap"]));
    const multiQueue = Number(net["num_queues"] ?? 2) > 2;
    if (wrongKind) {
      const record = { multiQueue: !multiQueue, hostMac: "02:00:00:00:00:fe", persistent: true };
      writeFileSync(file, JSON.stringify(record));
    } else if (!wrong) {
      const free = world.sandbox.running.length === 0 || !existsSync(file);
      if (free || !sameKind(file, multiQueue)) rmSync(file, { force: true });
    }
  }
}

function sameKind(file: string, multiQueue: boolean): boolean {
  const record = asJson(readFileSync(file, "utf8")) as { multiQueue?: boolean } | undefined;
  return record?.multiQueue === multiQueue;
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
