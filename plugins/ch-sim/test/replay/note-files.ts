import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { asJson, callName, type NoteRow } from "./rows.ts";
import { differ, type World } from "./world.ts";

export function noteOfFiles(world: World, row: NoteRow): string[] {
  const files = row["files"] as Array<
    string | { name: string; size: number; alloc: number; mode: string; nlink: number }
  >;
  if (typeof files[0] === "string") {
    const socket =
      world.sandbox.programs.findLast((program) => program.socket !== undefined)?.socket ?? "";
    const there = readdirSync(dirname(world.sandbox.where(socket)));
    const own = (names: string[]): string[] =>
      names.filter((name) => name.startsWith(basename(socket))).toSorted();
    return differ("files", own(files as string[]), own(there));
  }
  const directory = world.lastSnapshot ?? "";
  const differences: string[] = [];
  const told = files as Array<{
    name: string;
    size: number;
    alloc: number;
    mode: string;
    nlink: number;
  }>;
  const there = existsSync(directory) ? readdirSync(directory).toSorted() : [];
  differences.push(...differ("files", told.map((file) => file.name).toSorted(), there));
  for (const file of told.filter(({ name }) => there.includes(name))) {
    const stat = statSync(join(directory, file.name));
    differences.push(
      ...differ(`${file.name}: mode`, file.mode, `0o${(stat.mode & 0o777).toString(8)}`),
    );
    // The state of a host's KVM is of no length that could be told.
    if (file.name !== "state.json")
      differences.push(
        ...differ(`${file.name}: size`, file.size, lengthOf(join(directory, file.name), stat.size)),
      );
    if (file.alloc === file.size)
      differences.push(...differ(`${file.name}: dense`, true, stat.blocks * 512 >= stat.size));
  }
  if (row["dirmode"] !== undefined) {
    differences.push(
      ...differ(
        "mode of the directory",
        row["dirmode"],
        `0o${(statSync(directory).mode & 0o777).toString(8)}`,
      ),
    );
  }
  if (row["snapdir"] !== undefined) {
    differences.push(
      ...differ(
        "directories",
        (row["snapdir"] as string[]).toSorted(),
        readdirSync(dirname(directory)).toSorted(),
      ),
    );
  }
  return differences;
}

/** The length of a config is that of one with terminals of one digit. */
function lengthOf(path: string, size: number): number {
  if (!path.endsWith("config.json")) return size;
  return Buffer.byteLength(readFileSync(path, "utf8").replaceAll(/\/dev\/pts\/\d+/g, "/dev/pts/0"));
}

export function noteOfExistence(world: World, row: NoteRow): string[] {
  const call = world.lastCall?.row;
  const snapshot = call !== undefined && callName(call) === "vm.snapshot";
  const serial = (world.created.get(call?.vmm ?? "")?.["serial"] as { socket?: string } | undefined)
    ?.socket;
  const path = snapshot ? (world.lastSnapshot ?? "") : world.sandbox.where(serial ?? "");
  const there = existsSync(path);
  const mode = there ? `0o${statSync(path).mode.toString(8)}` : undefined;
  return [
    ...differ("exists", row["exists"], there),
    ...(row["mode"] === undefined ? [] : differ("mode", row["mode"], mode)),
  ];
}

export function noteOfSize(world: World, row: NoteRow): string[] {
  const call = world.lastCall?.row;
  const { id } = (asJson(call?.request) ?? {}) as { id?: string };
  const disks = world.created.get(call?.vmm ?? "")?.disks ?? [];
  const disk =
    disks.find((one) => one.id === id) ?? disks[Number(/^_disk(\d+)$/.exec(id ?? "")?.[1])];
  if (disk?.path === undefined) return [`no disk is known as ${id}`];
  return differ("size", row["size"], statSync(world.sandbox.where(disk.path)).size);
}

export function noteOfLeftSockets(world: World, row: NoteRow): string[] {
  const vmm = world.lastCall?.row.vmm ?? "";
  return ["serial", "vsock"].flatMap((key) => {
    const socket = (world.created.get(vmm)?.[key] as { socket?: string } | undefined)?.socket;
    return socket === undefined
      ? []
      : differ(`${key} socket`, row[key], existsSync(world.sandbox.where(socket)));
  });
}

/** Whether a snapshot's memory is still what it was, or whether that of a later one is the same. */
export function noteOfMemory(world: World, row: NoteRow): string[] {
  const { row: call, reply } = world.lastCall ?? {};
  if (call !== undefined && callName(call) === "vm.snapshot") {
    return differ("same", row["same"], typeof reply === "object" && reply.status === 204);
  }
  const from = world.restoredFrom.get(call?.vmm ?? "");
  if (from === undefined) return ["nothing was restored"];
  const now = statSync(join(world.sandbox.where(from), "memory-ranges"));
  const fresh = world.lastRefresh;
  return differ(
    "same",
    row["same"],
    fresh !== undefined && fresh.mtimeMs === now.mtimeMs && fresh.size === now.size,
  );
}
