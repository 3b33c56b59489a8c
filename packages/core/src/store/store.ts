import type { AttachedTo } from "../devices/device-kind.ts";
import { SilkError } from "../errors.ts";
import type { Host, HostDatabase, SqlValue } from "../host.ts";
import type { BlobReference } from "../image/image-source.ts";
import type { EventData, EventTotal, EventType, SilkEvent } from "../vm/events.ts";
import type { Attachment, VmRecord } from "../vm/record.ts";
import { openDatabase, openDatabaseReadOnly } from "./database.ts";
import type { JournalEntry, OperationData, Verb } from "./journal.ts";
import { type SummaryRow, toSummaryRow, toVmValues, vmColumns } from "./rows.ts";
import { storeForm } from "./schema.ts";
import { type SnapshotRecord, toSnapshotRecord, toSnapshotValues } from "./snapshot-record.ts";

const selectSummaries = `SELECT ${vmColumns.join(", ")} FROM vms`;

/** So many events are kept; older ones make room. */
const keptEvents = 100_000;

/** Typed access to the store: the only place that knows its SQL. Writes are made inside {@link Store.transaction}. */
export class Store implements Disposable {
  readonly #database: HostDatabase;
  readonly #host: Host;
  readonly #path: string;

  constructor(database: HostDatabase, host: Host, path: string) {
    this.#database = database;
    this.#host = host;
    this.#path = path;
  }

  /** Runs reads and writes as one: all of it is kept when the function returns, nothing when it throws. */
  transaction<T>(run: () => T, options?: { readonly durable?: boolean }): T {
    return this.#database.transaction(run, options);
  }

  /** A random name of this store, made with it: part of every name that silk gives to things outside of its directories. */
  get scope(): string {
    const row = this.#get("SELECT value FROM meta WHERE key = 'scope'");
    if (row === undefined)
      throw new SilkError(`the store has no scope: ${this.#path}`, {
        ...storeForm.damaged,
        kind: "failed",
        details: { path: this.#path },
      });
    return row["value"] as string;
  }

  /** Since when there is this store: milliseconds since 1970. Undefined where a silk made it that did not write that down. */
  get sinceMs(): number | undefined {
    const row = this.#get("SELECT value FROM meta WHERE key = 'since'");
    return row === undefined ? undefined : Date.parse(row["value"] as string);
  }

  /** The number of the next VM or snapshot; it is never given twice, also when that is never made. */
  nextSeq(): number {
    const row = this.transaction(() =>
      this.#get("UPDATE counters SET value = value + 1 WHERE name = 'vm' RETURNING value"),
    );
    return row?.["value"] as number;
  }

  findById(id: string): VmRecord | undefined {
    return this.#record("id = ?", id);
  }

  findByName(name: string): VmRecord | undefined {
    return this.#record("name = ?", name);
  }

  findBySeq(seq: number): VmRecord | undefined {
    return this.#record("vms.seq = ?", seq);
  }

  /** Ids and names of the VMs whose id begins so, in order; at most 20. */
  findByIdPrefix(prefix: string): readonly { readonly id: string; readonly name: string }[] {
    const rows = this.#all(
      "SELECT id, name FROM vms WHERE substr(id, 1, length(?1)) = ?1 ORDER BY id LIMIT 20",
      prefix,
    );
    return rows.map((row) => ({ id: row["id"] as string, name: row["name"] as string }));
  }

  /** Summaries of all VMs, oldest first. */
  listVms(): readonly SummaryRow[] {
    return this.#all(`${selectSummaries} ORDER BY seq`).map(toSummaryRow);
  }

  /** Summaries of the VMs that were running when they were last written: the few that a follower looks at again and again. */
  listRunning(): readonly SummaryRow[] {
    return this.#all(`${selectSummaries} WHERE state = 'running' ORDER BY seq`).map(toSummaryRow);
  }

  insertVm(vm: VmRecord): void {
    this.#run(
      `INSERT INTO vms (${vmColumns.join(", ")}) VALUES (${vmColumns.map(() => "?").join(", ")})`,
      ...toVmValues(vm),
    );
    this.#run("INSERT INTO vm_records (seq, record) VALUES (?, ?)", vm.seq, JSON.stringify(vm));
  }

  updateVm(vm: VmRecord): void {
    const assignments = vmColumns.map((column) => `${column} = ?`).join(", ");
    this.#run(`UPDATE vms SET ${assignments} WHERE seq = ?`, ...toVmValues(vm), vm.seq);
    this.#run("UPDATE vm_records SET record = ? WHERE seq = ?", JSON.stringify(vm), vm.seq);
  }

  deleteVm(seq: number): void {
    this.#run("DELETE FROM vms WHERE seq = ?", seq);
  }

  /** A snapshot that is whole. */
  findSnapshot(by: "id" | "name", value: string): SnapshotRecord | undefined {
    return this.#snapshot(`${by} = ? AND ready = 1`, value);
  }

  /** A snapshot by its number, also one that is still being made, or is being removed. */
  findSnapshotBySeq(seq: number): SnapshotRecord | undefined {
    return this.#snapshot("seq = ?", seq);
  }

  /** Who has an id or a name, also if it is still being made. */
  findSnapshotClash(value: string): SnapshotRecord | undefined {
    return this.#snapshot("id = ?1 OR name = ?1", value);
  }

  /** Ids and names of the snapshots whose id begins so, in order; at most 20. */
  findSnapshotsByIdPrefix(
    prefix: string,
  ): readonly { readonly id: string; readonly name: string }[] {
    const rows = this.#all(
      "SELECT id, name FROM snapshots WHERE ready = 1 AND substr(id, 1, length(?1)) = ?1 ORDER BY id LIMIT 20",
      prefix,
    );
    return rows.map((row) => ({ id: row["id"] as string, name: row["name"] as string }));
  }

  /** All snapshots that are whole, oldest first. */
  listSnapshots(): readonly SnapshotRecord[] {
    return this.#all("SELECT * FROM snapshots WHERE ready = 1 ORDER BY seq").map(toSnapshotRecord);
  }

  /** Ids of all snapshots, also of those that are still being made. */
  snapshotIds(): readonly string[] {
    return this.#all("SELECT id FROM snapshots").map((row) => row["id"] as string);
  }

  /** VMs that last came from a snapshot, by clone or restore. */
  findVmsFromSnapshot(id: string): readonly { readonly id: string; readonly name: string }[] {
    const rows = this.#all(
      "SELECT id, name FROM vms JOIN vm_records USING (seq) WHERE json_extract(record, '$.parentSnapshotId') = ? ORDER BY seq",
      id,
    );
    return rows.map((row) => ({ id: row["id"] as string, name: row["name"] as string }));
  }

  /** The VM that hibernates in a snapshot. */
  findVmHibernatedIn(snapshotId: string): VmRecord | undefined {
    return this.#record("json_extract(record, '$.hibernatedIn') = ?", snapshotId);
  }

  /** VMs that have a NIC of this MAC, in lower case. */
  findVmsByMac(mac: string): readonly Pick<VmRecord, "id" | "name" | "config">[] {
    const rows = this.#all(
      `SELECT record FROM vm_records WHERE EXISTS
         (SELECT 1 FROM json_each(record, '$.nics') AS nic WHERE lower(json_extract(nic.value, '$.mac')) = ?) ORDER BY seq`,
      mac,
    );
    return rows.map((row) => JSON.parse(row["record"] as string) as VmRecord);
  }

  /** All devices of one kind that were added to VMs. */
  listAttachments(kind: string): readonly AttachedTo[] {
    const rows = this.#all(
      `SELECT vms.id AS vm_id, vms.name AS vm_name, attachment.value AS attachment
       FROM vms JOIN vm_records USING (seq), json_each(record, '$.attachments') AS attachment
       WHERE json_extract(attachment.value, '$.kind') = ? ORDER BY seq`,
      kind,
    );
    return rows.map((row) => ({
      vm: { id: row["vm_id"] as string, name: row["vm_name"] as string },
      attachment: JSON.parse(row["attachment"] as string) as Attachment,
    }));
  }

  /** Who needs which blobs of images. */
  listBlobReferences(): readonly BlobReference[] {
    const rows = this.#all(
      `SELECT 'the VM ' || name AS needer, blob.value AS blob, record ->> '$.config.imageDigest' AS digest
       FROM vms JOIN vm_records USING (seq), json_each(record, '$.imageBlobIds') AS blob
       UNION ALL
       SELECT 'the snapshot ' || name, blob.value, record ->> '$.imageDigest' FROM snapshots, json_each(record, '$.imageBlobIds') AS blob`,
    );
    return rows.map((row) => ({
      blobId: row["blob"] as string,
      by: row["needer"] as string,
      ...(row["digest"] === null ? {} : { imageDigest: row["digest"] as string }),
    }));
  }

  insertSnapshot(snapshot: SnapshotRecord): void {
    this.#run(
      "INSERT INTO snapshots (seq, id, name, ready, vm_id, vm_name, record) VALUES (?, ?, ?, ?, ?, ?, ?)",
      ...toSnapshotValues(snapshot),
    );
  }

  updateSnapshot(snapshot: SnapshotRecord): void {
    this.#run(
      "UPDATE snapshots SET seq = ?, id = ?, name = ?, ready = ?, vm_id = ?, vm_name = ?, record = ? WHERE seq = ?",
      ...toSnapshotValues(snapshot),
      snapshot.seq,
    );
  }

  deleteSnapshot(seq: number): void {
    this.#run("DELETE FROM snapshots WHERE seq = ?", seq);
  }

  /** What the files of a snapshot's directory were like when every byte of them was last checked. */
  checkedSnapshot(directory: string): string | undefined {
    return this.#get("SELECT files FROM checked_snapshots WHERE directory = ?", directory)?.[
      "files"
    ] as string | undefined;
  }

  /** @param files undefined forgets it */
  setCheckedSnapshot(directory: string, files: string | undefined): void {
    if (files === undefined)
      this.#run("DELETE FROM checked_snapshots WHERE directory = ?", directory);
    else this.#run("INSERT OR REPLACE INTO checked_snapshots VALUES (?, ?)", directory, files);
  }

  /** Operations that are under way, or were when their owner died. */
  listOperations(): readonly JournalEntry[] {
    return this.#all("SELECT * FROM operations ORDER BY seq").map(toJournalEntry);
  }

  /** The operation on one VM or snapshot that is under way, or was when its owner died. */
  findOperation(seq: number): JournalEntry | undefined {
    const row = this.#get("SELECT * FROM operations WHERE seq = ?", seq);
    return row === undefined ? undefined : toJournalEntry(row);
  }

  beginOperation(
    subject: { readonly seq: number; readonly id: string },
    verb: Verb,
    data: OperationData = {},
  ): void {
    const owner = this.#host.processes.self();
    this.#run(
      "INSERT OR REPLACE INTO operations (seq, id, verb, started_at, owner_boot_id, owner_pid, owner_start_time, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      subject.seq,
      subject.id,
      verb,
      this.now(),
      owner.bootId,
      owner.pid,
      owner.startTime,
      JSON.stringify(data),
    );
  }

  /** Remembers more of an operation that is under way. */
  noteOperation(seq: number, data: OperationData): void {
    this.#run("UPDATE operations SET data = ? WHERE seq = ?", JSON.stringify(data), seq);
  }

  endOperation(seq: number): void {
    this.#run("DELETE FROM operations WHERE seq = ?", seq);
  }

  addEvent<T extends EventType>(
    vm: { readonly id: string; readonly name: string },
    type: T,
    data: EventData[T],
  ): void {
    this.#run(
      "INSERT INTO events (at, type, vm_id, vm_name, data) VALUES (?, ?, ?, ?, ?)",
      this.now(),
      type,
      vm.id,
      vm.name,
      JSON.stringify(data),
    );
    this.#run("DELETE FROM events WHERE seq <= (SELECT max(seq) FROM events) - ?", keptEvents);
  }

  /** How often each kind of event has happened, by their names. None of a store that a silk before this one has written last. */
  eventTotals(): readonly EventTotal[] {
    if (this.#get("SELECT 1 FROM sqlite_schema WHERE name = 'event_totals'") === undefined)
      return [];
    const buckets = Map.groupBy(
      this.#all(
        `SELECT type, le_ms, coalesce(count, 0) AS count
         FROM (SELECT type FROM event_totals WHERE timed > 0), event_bounds
         LEFT JOIN event_buckets USING (type, le_ms) ORDER BY type, le_ms`,
      ),
      ({ type }) => type,
    );
    return this.#all("SELECT * FROM event_totals ORDER BY type").map((row) => ({
      type: row["type"] as EventType,
      count: row["count"] as number,
      durations:
        row["timed"] === 0
          ? undefined
          : {
              count: row["timed"] as number,
              sumMs: row["took_ms"] as number,
              buckets: (buckets.get(row["type"] as string) ?? []).map((bucket) => ({
                leMs: bucket["le_ms"] as number,
                count: bucket["count"] as number,
              })),
            },
    }));
  }

  /** The oldest event that is kept; undefined where there is none. */
  firstEventSeq(): number | undefined {
    return (this.#get("SELECT min(seq) AS seq FROM events")?.["seq"] as number | null) ?? undefined;
  }

  /** Events after a sequence number, oldest first. */
  eventsAfter(seq: number, limit: number): readonly SilkEvent[] {
    return this.#all("SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit).map(
      (row) =>
        ({
          seq: row["seq"],
          at: row["at"],
          type: row["type"],
          vmId: row["vm_id"],
          vmName: row["vm_name"],
          data: JSON.parse(row["data"] as string) as unknown,
        }) as SilkEvent,
    );
  }

  lastEventSeq(): number {
    return (this.#get("SELECT max(seq) AS seq FROM events")?.["seq"] as number | null) ?? 0;
  }

  /** The moment of a write, as ISO 8601. */
  now(): string {
    return new Date(this.#host.clock.now()).toISOString();
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #record(condition: string, value: SqlValue): VmRecord | undefined {
    const row = this.#get(
      `SELECT record FROM vms JOIN vm_records USING (seq) WHERE ${condition}`,
      value,
    );
    return row === undefined ? undefined : (JSON.parse(row["record"] as string) as VmRecord);
  }

  #snapshot(condition: string, value: SqlValue): SnapshotRecord | undefined {
    const row = this.#get(`SELECT * FROM snapshots WHERE ${condition}`, value);
    return row === undefined ? undefined : toSnapshotRecord(row);
  }

  #get(sql: string, ...values: SqlValue[]): Record<string, SqlValue> | undefined {
    return this.#database.prepare(sql).get(...values);
  }

  #all(sql: string, ...values: SqlValue[]): Record<string, SqlValue>[] {
    return this.#database.prepare(sql).all(...values);
  }

  #run(sql: string, ...values: SqlValue[]): void {
    this.#database.prepare(sql).run(...values);
  }
}

function toJournalEntry(row: Record<string, SqlValue>): JournalEntry {
  return {
    seq: row["seq"] as number,
    id: row["id"] as string,
    verb: row["verb"] as Verb,
    data: JSON.parse(row["data"] as string) as OperationData,
    startedAt: row["started_at"] as string,
    owner: {
      bootId: row["owner_boot_id"] as string,
      pid: row["owner_pid"] as number,
      startTime: row["owner_start_time"] as number,
    },
  };
}

/** Opens the store for reading and writing; makes it where there is none. The directory must be there. */
export function openStore(host: Host, path: string): Store {
  return new Store(openDatabase(host, path, storeForm), host, path);
}

/** Opens the store for reading alone: writes nothing. Undefined where there is no store yet, or one that nobody has written to. */
export function openStoreReadOnly(host: Host, path: string): Store | undefined {
  const database = openDatabaseReadOnly(host, path, storeForm);
  return database && new Store(database, host, path);
}
