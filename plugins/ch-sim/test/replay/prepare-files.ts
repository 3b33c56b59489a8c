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
import type { KnownConfig } from "./recording.ts";
import { asJson } from "./rows.ts";
import { wantedByArguments } from "./wanted.ts";
import type { World } from "./world.ts";

const MIB = 1024 * 1024;

/** Makes the directories of the paths that are named; not the one that an error says is missing. */
export function prepareDirectories(
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
export function prepareConfig(
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
export function prepareTaps(world: World, config: KnownConfig, errors: readonly string[]): void {
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
