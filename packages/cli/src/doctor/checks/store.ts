import { join } from "node:path";
import { isSilkError, storeVersion, type HostDatabase } from "@silkvm/core";
import type { CheckContext } from "../context.ts";
import type { Check, Outcome } from "../finding.ts";
import { silentDirectory } from "../responds.ts";
import { shellQuote } from "../../output/shell-quote.ts";
import { openStoreFile, readStoreVersion, storePath } from "../store-file.ts";

/** Result codes of SQLite. https://sqlite.org/rescode.html */
const sqliteBusy = 5;
const sqliteCorrupt = 11;
const sqliteNotADatabase = 26;

/** Whether the store of what VMs there are can be read, and is whole. */
export const store: Check = {
  id: "store",
  title: "store",
  group: "silk",
  async run(context) {
    const silent = await silentDirectory(context, context.config.rootDir);
    if (silent !== undefined) return silent;
    try {
      using database = await openStoreFile(context);
      return database === undefined
        ? { status: "ok", evidence: "none yet" }
        : await inspect(context, database);
    } catch (error) {
      return await explain(context, error);
    }
  },
};

async function inspect(context: CheckContext, database: HostDatabase): Promise<Outcome> {
  const path = storePath(context.config);
  const version = readStoreVersion(database);
  if (version > storeVersion)
    return {
      status: "failed",
      evidence: `${path} was written by a newer silk (version ${version}, this one knows ${storeVersion})`,
      why: "This silk would not understand what it reads there.",
      fix: {
        description: "Update silk, or name another directory with --root-dir.",
        automatic: false,
      },
    };
  const faults = [
    ...database
      .prepare("PRAGMA integrity_check(5)")
      .all()
      .map((row) => String(row["integrity_check"])),
    ...database
      .prepare("PRAGMA foreign_key_check")
      .all()
      .map((row) => `a row of ${String(row["table"])} belongs to nothing`),
  ].filter((fault) => fault !== "ok");
  if (faults.length > 0)
    return await damaged(context, `${path} is damaged: ${faults.slice(0, 3).join("; ")}`);
  const migrates =
    version < storeVersion ? `, brought to version ${storeVersion} by the next change` : "";
  return { status: "ok", evidence: `${path}, version ${version}${migrates}, whole` };
}

async function explain(context: CheckContext, error: unknown): Promise<Outcome> {
  const path = storePath(context.config);
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  const result = typeof errcode === "number" ? errcode & 0xff : undefined;
  if (code === "ENOENT") return { status: "ok", evidence: "none yet" };
  if (code === "EACCES" || code === "EPERM")
    return {
      status: "failed",
      evidence: `this user may not read ${path}`,
      why: "It holds what VMs there are.",
      fix: {
        description: "Run silk as the user who owns it, or name another directory with --root-dir.",
        automatic: false,
      },
    };
  if (result === sqliteBusy)
    return { status: "skipped", evidence: `${path} is being changed all the time: try again` };
  if (result === sqliteCorrupt || result === sqliteNotADatabase || isSilkError(error))
    return await damaged(
      context,
      result === sqliteNotADatabase
        ? `${path} is no database`
        : `${path} is damaged: ${(error as Error).message}`,
    );
  throw error;
}

async function damaged({ config, host }: CheckContext, evidence: string): Promise<Outcome> {
  const path = storePath(config);
  const aside = `${path}.damaged`;
  // Its log belongs to it: left behind, it would be taken for the log of the next store.
  const parts = (await host.files.list(config.rootDir)).filter((name) =>
    /^silk\.db(?:-wal|-shm)?$/.test(name),
  );
  const words = [...parts.map((name) => join(config.rootDir, name)), aside].map(shellQuote);
  return {
    status: "failed",
    evidence,
    why: "It holds what VMs there are.",
    fix: {
      command: `mkdir ${shellQuote(aside)} && mv ${words.join(" ")}`,
      description:
        "Put back a copy of it that is whole, or move it away: the VMs' disks stay where they are.",
      automatic: false,
    },
  };
}
