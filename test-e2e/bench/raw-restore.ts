import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { link, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { call, freshDirectory, type RawVmm } from "./raw-vmm.ts";

/** A directory that the VMM restores a VM from, without silk. */
export interface RawSnapshot {
  readonly dir: string;
  readonly diskPath: string;
}

/** What a raw snapshot is made of. */
export interface RawParts {
  /** Where the VMM's files are. */
  readonly filesDir: string;
  /** The file with the content of the disk. */
  readonly diskFile: string;
  /** The directories and the disk of the VM that the files speak of. */
  readonly dataDir: string;
  readonly runDir: string;
  readonly diskPath: string;
}

/** Makes a directory that is restored by hand: the same files, with their paths in another place, the memory by a hard link. */
export async function makeRaw(parts: RawParts, dir: string): Promise<RawSnapshot> {
  const { filesDir, diskFile, dataDir, runDir } = parts;
  await freshDirectory(dir);
  for (const name of await readdir(filesDir)) {
    if (name.startsWith("memory-range")) await link(join(filesDir, name), join(dir, name));
    if (name !== "config.json" && name !== "state.json") continue;
    const text = await readFile(join(filesDir, name), "utf8");
    await writeFile(
      join(dir, name),
      [filesDir, dataDir, runDir].reduce((made, from) => made.replaceAll(from, dir), text),
    );
  }
  const diskPath = parts.diskPath.replace(dataDir, dir);
  copyDisk(diskFile, diskPath);
  return { dir, diskPath };
}

/** So many of the same beside each other. */
export async function copiesOf(
  { dir, diskPath }: RawSnapshot,
  count: number,
): Promise<readonly RawSnapshot[]> {
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const copy = `${dir}-${index}`;
      await freshDirectory(copy);
      const copiedDisk = diskPath.replace(dir, copy);
      copyDisk(diskPath, copiedDisk);
      for (const name of await readdir(dir)) {
        if (name.startsWith("memory-range")) await link(join(dir, name), join(copy, name));
        if (!name.endsWith(".json")) continue;
        const text = await readFile(join(dir, name), "utf8");
        await writeFile(join(copy, name), text.replaceAll(`${dir}/`, `${copy}/`));
      }
      return { dir: copy, diskPath: copiedDisk };
    }),
  );
}

/** As a shell would copy a disk: its blocks shared where they can be, its holes kept. */
export function copyDisk(from: string, to: string): void {
  const { status, stderr } = spawnSync("cp", ["--reflink=auto", "--sparse=always", from, to]);
  if (status !== 0) throw new Error(`cp: ${stderr.toString()}`);
}

/** Launches a VMM with nothing in it. */
export async function launchRaw(chPath: string, { dir }: RawSnapshot): Promise<RawVmm> {
  const socketPath = join(dir, "api.sock");
  await Promise.all([socketPath, `${socketPath}.lock`].map((path) => rm(path, { force: true })));
  const child = spawn(chPath, ["--api-socket", socketPath], { stdio: "ignore", detached: true });
  const exited = once(child, "exit").then(([code]) => {
    throw new Error(`the VMM ended with ${String(code)} instead of running its guest`);
  });
  exited.catch(() => {});
  await Promise.race([exited, untilAnswers(socketPath)]);
  return { socketPath, child };
}

/** Launches a VMM, restores and resumes: as few calls as there can be, and nothing else. */
export async function restoreRaw(chPath: string, raw: RawSnapshot): Promise<RawVmm> {
  const vmm = await launchRaw(chPath, raw);
  await must(vmm.socketPath, "vm.restore", { source_url: `file://${raw.dir}` });
  await must(vmm.socketPath, "vm.resume");
  return vmm;
}

async function must(socketPath: string, name: string, body?: unknown): Promise<void> {
  const answer = await call(socketPath, "PUT", name, body);
  if (answer !== "") throw new Error(`${name}: ${answer}`);
}

async function untilAnswers(socketPath: string): Promise<void> {
  for (;;) {
    const answer = await call(socketPath, "GET", "vmm.ping").catch(() => "");
    if (answer.includes("version")) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Ends a VMM that nobody needs any more. */
export async function killRaw(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
