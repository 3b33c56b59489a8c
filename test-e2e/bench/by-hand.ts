import { readdirSync } from "node:fs";
import { join } from "node:path";
import { timeProgram } from "./program.ts";
import { copyDisk, killRaw, launchRaw, type RawSnapshot } from "./raw-restore.ts";
import { call, freshDirectory } from "./raw-vmm.ts";
import type { SnapshotBed } from "./snapshot-bed.ts";

/** A VM as somebody sees it who has only ch-remote and a shell. */
export interface Bare {
  readonly socketPath: string;
  readonly diskPath: string;
  /** Where it is saved to; made anew each time. */
  readonly saveDir: string;
}

/** `ch-remote pause`, `snapshot`, `cp` of the disk. @returns milliseconds */
export async function saveByHand({ chRemotePath, env }: SnapshotBed, bare: Bare): Promise<number> {
  await freshDirectory(bare.saveDir);
  const remote = (...words: readonly string[]): void =>
    void timeProgram(chRemotePath, ["--api-socket", bare.socketPath, ...words], { env });
  const began = performance.now();
  remote("pause");
  remote("snapshot", `file://${bare.saveDir}`);
  copyDisk(bare.diskPath, join(bare.saveDir, "cow.raw"));
  remote("resume");
  return performance.now() - began;
}

/** The same, and all of it on the disk. @returns milliseconds */
export async function saveDurablyByHand(bed: SnapshotBed, bare: Bare): Promise<number> {
  const savedMs = await saveByHand(bed, bare);
  const files = readdirSync(bare.saveDir).map((name) => join(bare.saveDir, name));
  return savedMs + timeProgram("sync", [...files, bare.saveDir], { env: bed.env });
}

/** The same by calls of the API alone: how long the guest has to stand still. @returns milliseconds */
export async function pauseByHand(bare: Bare): Promise<number> {
  await freshDirectory(bare.saveDir);
  const put = async (name: string, body?: unknown): Promise<void> => {
    const answer = await call(bare.socketPath, "PUT", name, body);
    if (answer !== "") throw new Error(`${name}: ${answer}`);
  };
  const began = performance.now();
  await put("vm.pause");
  await put("vm.snapshot", { destination_url: `file://${bare.saveDir}` });
  copyDisk(bare.diskPath, join(bare.saveDir, "cow.raw"));
  await put("vm.resume");
  return performance.now() - began;
}

/** A copy of the disk, a VMM, `ch-remote restore` and `ch-remote resume`. @returns milliseconds */
export async function remoteRestore(
  { chPath, chRemotePath, env }: SnapshotBed,
  raw: RawSnapshot,
): Promise<number> {
  const socketPath = join(raw.dir, "api.sock");
  const remote = (...words: readonly string[]): void =>
    void timeProgram(chRemotePath, ["--api-socket", socketPath, ...words], { env });
  const began = performance.now();
  copyDisk(raw.diskPath, join(raw.dir, "copy.raw"));
  const { child } = await launchRaw(chPath, raw);
  remote("restore", `source_url=file://${raw.dir}`);
  remote("resume");
  const tookMs = performance.now() - began;
  await killRaw(child);
  return tookMs;
}
