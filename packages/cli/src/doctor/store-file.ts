import { join } from "node:path";
import { type EngineConfig, type HostDatabase, SilkError } from "@silkvm/core";
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
