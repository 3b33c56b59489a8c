import { join } from "node:path";
import {
  type EngineConfig,
  type HostDatabase,
  type ProcessIdentity,
  SilkError,
  storeVersion,
} from "@silkvm/core";
import type { CheckContext } from "./context.ts";

export function storePath(config: EngineConfig): string {
  return join(config.rootDir, "silk.db");
}

export function readStoreVersion(database: HostDatabase): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}

/** Opens the store so that nothing is written; undefined where there is none yet. */
export async function openStoreFile({
  config,
  host,
}: CheckContext): Promise<HostDatabase | undefined> {
  const path = storePath(config);
  const stat = await host.files.stat(path);
  if (stat === undefined) return undefined;
  // SQLite would wait for ever for the other end of a FIFO.
  if (stat.kind !== "file")
    throw new SilkError(`${path} is a ${stat.kind}`, { code: "STORE_DAMAGED", kind: "failed" });
  return host.openDatabase(path, { readOnly: true });
}

/** An operation that was under way when its owner died. */
export interface InterruptedOperation {
  readonly vmId: string;
  readonly verb: string;
  readonly owner: ProcessIdentity;
}

/** Operations whose VM nobody holds: the next command that changes a VM would recover them. */
export async function interruptedOperations(
  context: CheckContext,
): Promise<readonly InterruptedOperation[]> {
  using database = await openStoreFile(context);
  if (database === undefined || readStoreVersion(database) !== storeVersion) return [];
  const lockPath = join(context.config.rootDir, "vm.lock");
  const interrupted: InterruptedOperation[] = [];
  for (const row of database.prepare("SELECT * FROM operations ORDER BY vm_seq").all()) {
    if (await context.host.locks.isHeld(lockPath, row["vm_seq"] as number)) continue;
    interrupted.push({
      vmId: row["vm_id"] as string,
      verb: row["verb"] as string,
      owner: {
        bootId: row["owner_boot_id"] as string,
        pid: row["owner_pid"] as number,
        startTime: row["owner_start_time"] as number,
      },
    });
  }
  return interrupted;
}
