import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";

import { fromNode, plainError, VmmError } from "../errors.ts";
import { encodePage, type GuestMemoryState, STATE_PAGE_ADDRESS } from "../guest/memory-page.ts";
import { quote } from "../json/content.ts";
import type { MemoryState } from "../memory/memory-manager.ts";
import { CONFIG_FILE, MEMORY_FILE, STATE_FILE, urlToDirectory } from "./directory.ts";
import { migrationError } from "./migration-error.ts";
import type { Permits } from "../vm/landlock.ts";

const CHUNK_BYTES = 4 * 1024 * 1024;

/** What a snapshot is made of. */
export interface SnapshotContent {
  readonly config: string;
  readonly state: string;
  readonly memory: MemoryState;
  readonly guest: GuestMemoryState;
  /** Whether the guest's memory is shared; its zeros are then holes in the file. */
  readonly shared: boolean;
}

/**
 * Writes a snapshot into the directory that a URL names. None of its three files may be there yet; what was written before a
 * failure stays. Throws a VmmError.
 */
export async function saveSnapshot(
  url: string,
  content: SnapshotContent,
  permitted: Permits,
): Promise<void> {
  const directory = urlToDirectory(url);
  const create = (name: string, what: string): number => {
    const path = join(directory, name);
    try {
      if (!permitted(path, true)) throw Object.assign(new Error("landlock"), { code: "EACCES" });
      return openSync(path, "wx+", 0o600);
    } catch (error) {
      throw migrationError("MigrateSend", what, fromNode(error));
    }
  };
  const put = (name: string, what: string, text: string): void => {
    const fd = create(name, what);
    try {
      writeSync(fd, text);
    } finally {
      closeSync(fd);
    }
  };
  put(CONFIG_FILE, "Error creating VM config snapshot file", content.config);
  put(STATE_FILE, "Error creating VM state snapshot file", content.state);
  if (content.memory.ranges.length === 0) return;
  const fd = create(
    MEMORY_FILE,
    `Error creating memory snapshot file ${quote(join(directory, MEMORY_FILE))}`,
  );
  try {
    await writeMemory(fd, content);
  } catch (error) {
    if (error instanceof VmmError) throw error;
    throw new VmmError(
      "MigrateSend",
      "Failed to send migratable component snapshot",
      plainError("Error writing dense memory snapshot region", fromNode(error)),
    );
  } finally {
    closeSync(fd);
  }
}

async function writeMemory(fd: number, { memory, guest, shared }: SnapshotContent): Promise<void> {
  const total = memory.ranges.reduce((sum, range) => sum + range.length, 0n);
  ftruncateSync(fd, Number(total));
  if (!shared) {
    const zeros = Buffer.alloc(CHUNK_BYTES);
    for (let at = 0; at < Number(total); at += CHUNK_BYTES) {
      writeSync(fd, zeros, 0, Math.min(CHUNK_BYTES, Number(total) - at), at);
      await nextTurn();
    }
  }
  const offset = fileOffset(memory.ranges, BigInt(STATE_PAGE_ADDRESS));
  const page = encodePage(guest);
  if (offset !== undefined) writeSync(fd, page, 0, page.length, Number(offset));
}

/** Where an address of the guest is in the memory file; undefined where the file does not hold it. */
export function fileOffset(ranges: MemoryState["ranges"], gpa: bigint): bigint | undefined {
  let before = 0n;
  for (const range of ranges) {
    if (gpa >= range.gpa && gpa < range.gpa + range.length) return before + gpa - range.gpa;
    before += range.length;
  }
  return undefined;
}
