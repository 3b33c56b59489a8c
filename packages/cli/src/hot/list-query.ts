import { join } from "node:path";
import { type HostDatabase, storeVersion, type VmSummary } from "@silkvm/core";
import { isAlive, openReadOnly } from "@silkvm/sys/reading";
import { renderVmList, type VmListView } from "../list-view.ts";
import { damaged, listTable, unsettled } from "./list-table.ts";

const summary = `json_object('id', id, 'name', name, 'state', state, 'backend', backend, 'cpus', cpus, 'memoryBytes', memory_bytes,
  'storageBytes', storage_bytes, 'nics', nics, 'image', image, 'labels', json(labels), 'createdAt', created_at, 'startedAt', started_at,
  'pid', vmm_pid, 'problem', json(problem), 'exitCode', exit_code)`;

/**
 * What `silk vm list` prints, read from the store alone; it is written to nowhere. Undefined where the store does not hold the whole
 * truth (a VM that is being made, one whose VMM is dead), or is not one that this silk knows.
 */
export function listVms(
  rootDir: string,
  view: VmListView,
  isTerminal: boolean,
): readonly (string | Uint8Array)[] | undefined {
  let database: HostDatabase;
  try {
    database = openReadOnly(join(rootDir, "silk.db"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [renderVmList([], view)];
    throw error;
  }
  try {
    return database.transaction(() => {
      if (!isOurs(database)) return undefined;
      const { parts, isUnsettled } = isTerminal
        ? fromRows(database, view)
        : fromText(database, view);
      return !isUnsettled || holdsTruth(database) ? parts : undefined;
    });
  } finally {
    database.close();
  }
}

function isOurs(database: HostDatabase): boolean {
  if (database.prepare("PRAGMA user_version").get()?.["user_version"] !== storeVersion)
    return false;
  return database.prepare("SELECT 1 FROM meta WHERE key = 'scope'").get() !== undefined;
}

/** Whether each VM is in the state that its row says. */
function holdsTruth(database: HostDatabase): boolean {
  if (database.prepare(`SELECT 1 FROM vms WHERE ${damaged} LIMIT 1`).get() !== undefined)
    return false;
  const rows = database
    .prepare(
      "SELECT vmm_boot_id, vmm_pid, vmm_start_time FROM vms NOT INDEXED WHERE state NOT IN ('created', 'stopped', 'error')",
    )
    .all();
  return rows.every(({ vmm_boot_id: bootId, vmm_pid: pid, vmm_start_time: startTime }) =>
    typeof bootId === "string" && typeof pid === "number" && typeof startTime === "number"
      ? isAlive({ bootId, pid, startTime })
      : false,
  );
}

interface Listed {
  readonly parts: readonly (string | Uint8Array)[];
  readonly isUnsettled: boolean;
}

function fromRows(database: HostDatabase, view: VmListView): Listed {
  const rows = database.prepare(`SELECT ${summary} AS vm FROM vms NOT INDEXED ORDER BY seq`).all();
  const vms = rows.map(({ vm }) => JSON.parse(vm as string) as VmSummary);
  return { parts: [renderVmList(vms, view)], isUnsettled: true };
}

/** The rows as text that SQLite makes; `NOT INDEXED` keeps it from reading them in the order of an index. */
function fromText(database: HostDatabase, view: VmListView): Listed {
  if (!view.json && !view.quiet) return listTable(database, view.nowMs) ?? fromRows(database, view);
  const [item, start, separator, end] = view.json
    ? [view.quiet ? "json_quote(id)" : summary, "[", ",", "]\n"]
    : ["id", "", "\n", "\n"];
  const { rows, isUnsettled } = database
    .prepare(
      `SELECT CAST(group_concat(${item}, ?) AS BLOB) AS rows, ${unsettled} AS isUnsettled FROM vms NOT INDEXED`,
    )
    .get(separator) as { rows: Uint8Array | null; isUnsettled: number | null };
  if (rows === null) return { parts: [renderVmList([], view)], isUnsettled: false };
  return { parts: [start, rows, end], isUnsettled: isUnsettled === 1 };
}
