import type { DatabaseForm } from "./database.ts";

/**
 * Every change of the store's form, oldest first; the n-th one makes version n. A published one is never edited.
 *
 * `vms` holds what a list shows, in small rows; `vm_records` holds the whole record. So a list of 10,000 VMs reads little.
 */
const migrations: readonly string[] = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
   INSERT INTO meta VALUES ('scope', lower(hex(randomblob(4))));
   CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   INSERT INTO counters VALUES ('vm', 0);
   CREATE TABLE vms (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL UNIQUE,
     backend TEXT NOT NULL,
     state TEXT NOT NULL,
     cpus INTEGER NOT NULL,
     memory_bytes INTEGER NOT NULL,
     storage_bytes INTEGER NOT NULL,
     image TEXT,
     labels TEXT NOT NULL,
     created_at TEXT NOT NULL,
     started_at TEXT,
     vmm_boot_id TEXT,
     vmm_pid INTEGER,
     vmm_start_time INTEGER,
     problem TEXT
   ) STRICT;
   CREATE TABLE vm_records (seq INTEGER PRIMARY KEY REFERENCES vms (seq) ON DELETE CASCADE, record TEXT NOT NULL) STRICT;
   CREATE TABLE operations (
     vm_seq INTEGER PRIMARY KEY,
     vm_id TEXT NOT NULL,
     verb TEXT NOT NULL,
     started_at TEXT NOT NULL,
     owner_boot_id TEXT NOT NULL,
     owner_pid INTEGER NOT NULL,
     owner_start_time INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE events (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     at TEXT NOT NULL,
     type TEXT NOT NULL,
     vm_id TEXT NOT NULL,
     vm_name TEXT NOT NULL,
     data TEXT NOT NULL
   ) STRICT;`,
  // Snapshots take their numbers from the counter of the VMs: each number is a lock, and the key of an operation.
  `ALTER TABLE operations RENAME COLUMN vm_seq TO seq;
   ALTER TABLE operations RENAME COLUMN vm_id TO id;
   ALTER TABLE operations ADD COLUMN data TEXT NOT NULL DEFAULT '{}';
   CREATE TABLE snapshots (
     seq INTEGER PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL UNIQUE,
     ready INTEGER NOT NULL,
     vm_id TEXT NOT NULL,
     vm_name TEXT NOT NULL,
     record TEXT NOT NULL
   ) STRICT;
   CREATE TABLE checked_snapshots (directory TEXT PRIMARY KEY, files TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE vms ADD COLUMN nics INTEGER NOT NULL DEFAULT 0;
   UPDATE vms SET nics = (SELECT json_array_length(record, '$.nics') FROM vm_records WHERE vm_records.seq = vms.seq);`,
  // What is older than the store is no orphan of it: its VMs may be in a store that was moved away.
  `INSERT INTO meta
     SELECT 'since', coalesce(min(created_at), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) FROM vms;`,
  // Events make room for others; how often each happened, and how long it took, is counted for good.
  `CREATE TABLE event_bounds (le_ms INTEGER PRIMARY KEY) STRICT;
   INSERT INTO event_bounds VALUES (10), (25), (50), (100), (250), (500), (1000), (2500), (5000), (10000), (30000), (60000);
   CREATE TABLE event_totals (
     type TEXT PRIMARY KEY,
     count INTEGER NOT NULL,
     timed INTEGER NOT NULL,
     took_ms REAL NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE event_buckets (
     type TEXT NOT NULL,
     le_ms INTEGER NOT NULL,
     count INTEGER NOT NULL,
     PRIMARY KEY (type, le_ms)
   ) STRICT, WITHOUT ROWID;
   INSERT INTO event_totals
     SELECT type, count(*), count(json_extract(data, '$.tookMs')), coalesce(sum(json_extract(data, '$.tookMs')), 0)
     FROM events GROUP BY type;
   INSERT INTO event_buckets
     SELECT type, le_ms, count(*) FROM events JOIN event_bounds ON json_extract(data, '$.tookMs') <= le_ms
     GROUP BY type, le_ms;
   CREATE TRIGGER count_events AFTER INSERT ON events BEGIN
     INSERT INTO event_totals
       VALUES (new.type, 1, json_extract(new.data, '$.tookMs') IS NOT NULL, coalesce(json_extract(new.data, '$.tookMs'), 0))
       ON CONFLICT (type) DO UPDATE SET count = count + 1, timed = timed + excluded.timed, took_ms = took_ms + excluded.took_ms;
     INSERT INTO event_buckets
       SELECT new.type, le_ms, 1 FROM event_bounds WHERE json_extract(new.data, '$.tookMs') <= le_ms
       ON CONFLICT (type, le_ms) DO UPDATE SET count = count + 1;
   END;`,
  `ALTER TABLE vms ADD COLUMN exit_code INTEGER;`,
];

/** The version of the store that this copy of core reads and writes. */
export const storeVersion: number = migrations.length;

/** The store, as a database. */
export const storeForm: DatabaseForm = {
  what: "the store",
  migrations,
  damaged: {
    code: "STORE_DAMAGED",
    hint: "Restore the store from a backup, or move it away with its -wal and -shm files (`silk doctor` shows how). Its VMs' disks stay where they are.",
  },
};
