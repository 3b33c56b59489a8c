import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import type { Host, HostDatabase } from "../host.ts";
import { resolveVm } from "../refs.ts";
import type { VmRecord } from "../vm/record.ts";
import { storeVersion } from "./schema.ts";
import { openStore, openStoreReadOnly, type Store } from "./store.ts";

/** The part of a host that a store needs, on SQLite itself. */
const host = {
  openDatabase: (path: string, { readOnly }: { readOnly: boolean }): HostDatabase => {
    const database = new DatabaseSync(path, { readOnly });
    database.exec("PRAGMA foreign_keys = ON");
    return {
      exec: (sql) => database.exec(sql),
      prepare: (sql) => database.prepare(sql) as unknown as ReturnType<HostDatabase["prepare"]>,
      transaction: (run) => {
        database.exec("BEGIN IMMEDIATE");
        try {
          const result = run();
          database.exec("COMMIT");
          return result;
        } catch (error) {
          database.exec("ROLLBACK");
          throw error;
        }
      },
      close: () => database.close(),
      [Symbol.dispose]: () => database.close(),
    };
  },
  clock: { now: () => Date.UTC(2026, 0, 2) },
  processes: { self: () => ({ bootId: "boot", pid: 42, startTime: 7 }) },
} as unknown as Host;

const newPath = (): string => join(mkdtempSync(join(tmpdir(), "silk-store-")), "silk.db");

function record(
  seq: number,
  id: string,
  name: string,
  state: VmRecord["state"] = "created",
): VmRecord {
  return {
    seq,
    id,
    name,
    backend: "b",
    state,
    config: {
      cpus: 1,
      memoryBytes: 2 ** 40 + 1,
      storageBytes: 0,
      netQueueSize: 0,
      diskQueueSize: 0,
      noDirectIo: false,
      windows: false,
      sharedMemory: false,
      hugepages: false,
    },
    boot: { kind: "direct", kernelPath: "/k", cmdline: "" },
    disks: [],
    nics: [],
    labels: { tier: "web" },
    imageBlobIds: [],
    snapshotIds: [],
    firstBooted: false,
    createdAt: "2026-01-01T00:00:00.000Z",
    updatedAt: "2026-01-01T00:00:00.000Z",
  };
}

function storeWith(...vms: readonly VmRecord[]): Store {
  const store = openStore(host, newPath());
  store.transaction(() => vms.forEach((vm) => store.insertVm(vm)));
  return store;
}

describe("Store", () => {
  it("gives back a record as it was written, and its summary", () => {
    using store = storeWith();
    const vm: VmRecord = {
      ...record(1, "aaa", "web", "running"),
      runtime: {
        vmm: { bootId: "boot", pid: 9, startTime: 1 },
        vmmVersion: "v53.0",
        apiSocketPath: "/s",
        startedAt: "2026-01-01T00:00:01.000Z",
      },
    };
    store.insertVm(vm);
    expect(store.findById("aaa")).toEqual(vm);
    expect(store.findByName("web")).toEqual(vm);
    const [row] = store.listVms();
    expect(row?.vmm).toEqual(vm.runtime?.vmm);
    expect(row?.summary).toMatchObject({
      id: "aaa",
      state: "running",
      memoryBytes: 2 ** 40 + 1,
      pid: 9,
      labels: { tier: "web" },
    });
  });

  it("lists those that run apart from the others", () => {
    using store = storeWith(
      record(1, "aaa", "web"),
      record(2, "bbb", "db", "running"),
      record(3, "ccc", "old", "error"),
    );
    expect(store.listRunning().map(({ seq }) => seq)).toEqual([2]);
  });

  it("keeps nothing of a transaction that fails", () => {
    using store = storeWith(record(1, "aaa", "web"));
    expect(() =>
      store.transaction(() => {
        store.insertVm(record(2, "bbb", "db"));
        store.insertVm(record(3, "ccc", "web"));
      }),
    ).toThrow("UNIQUE");
    expect(store.listVms()).toHaveLength(1);
  });

  it("never gives a VM's number twice", () => {
    using store = storeWith();
    const first = store.nextSeq();
    store.insertVm(record(first, "aaa", "web"));
    store.deleteVm(first);
    expect(store.nextSeq()).toBe(first + 1);
    expect(store.findById("aaa")).toBeUndefined();
  });

  it("remembers operations with their owner until they end", () => {
    using store = storeWith(record(1, "aaa", "web"));
    store.beginOperation({ seq: 1, id: "aaa" }, "start");
    expect(store.listOperations()).toEqual([
      {
        seq: 1,
        id: "aaa",
        verb: "start",
        data: {},
        startedAt: "2026-01-02T00:00:00.000Z",
        owner: { bootId: "boot", pid: 42, startTime: 7 },
      },
    ]);
    expect([store.findOperation(1)]).toEqual(store.listOperations());
    store.endOperation(1);
    expect(store.findOperation(1)).toBeUndefined();
    expect(store.listOperations()).toEqual([]);
  });

  it("gives events after a number, in order", () => {
    using store = storeWith();
    for (const pid of [1, 2, 3])
      store.addEvent({ id: "aaa", name: "web" }, "vm.started", { pid, tookMs: 5 });
    expect(store.lastEventSeq()).toBe(3);
    expect(store.eventsAfter(1, 10).map(({ seq, type, data }) => [seq, type, data])).toEqual([
      [2, "vm.started", { pid: 2, tookMs: 5 }],
      [3, "vm.started", { pid: 3, tookMs: 5 }],
    ]);
  });

  it("lets the oldest events go, and says which is the oldest", () => {
    const path = newPath();
    using store = openStore(host, path);
    expect(store.firstEventSeq()).toBeUndefined();
    const add = () =>
      store.addEvent({ id: "aaa", name: "web" }, "vm.started", { pid: 1, tookMs: 5 });
    for (let number = 1; number <= 3; number++) add();
    {
      using database = host.openDatabase(path, { readOnly: false });
      database.exec(
        "INSERT INTO events SELECT 100000, at, type, vm_id, vm_name, data FROM events LIMIT 1",
      );
    }
    expect([store.firstEventSeq(), store.lastEventSeq()]).toEqual([1, 100_000]);
    add();
    add();
    expect([store.firstEventSeq(), store.lastEventSeq()]).toEqual([3, 100_002]);
    // They are still counted.
    expect(store.eventTotals()).toMatchObject([{ type: "vm.started", count: 6 }]);
  });

  it("counts events, and how long they took", () => {
    using store = storeWith();
    const vm = { id: "aaa", name: "web" };
    expect(store.eventTotals()).toEqual([]);
    store.addEvent(vm, "vm.created", {});
    for (const tookMs of [5, 30, 200, 90_000]) store.addEvent(vm, "vm.started", { pid: 1, tookMs });
    const [created, started] = store.eventTotals();
    expect(created).toEqual({ type: "vm.created", count: 1, durations: undefined });
    expect(started).toMatchObject({
      type: "vm.started",
      count: 4,
      durations: { count: 4, sumMs: 90_235 },
    });
    expect(started?.durations?.buckets.map(({ leMs, count }) => [leMs, count])).toEqual([
      [10, 1],
      [25, 1],
      [50, 2],
      [100, 2],
      [250, 3],
      [500, 3],
      [1000, 3],
      [2500, 3],
      [5000, 3],
      [10_000, 3],
      [30_000, 3],
      [60_000, 3],
    ]);
  });

  it("has a scope that stays the same", () => {
    const path = newPath();
    using first = openStore(host, path);
    using second = openStore(host, path);
    expect(first.scope).toMatch(/^[0-9a-f]{8}$/);
    expect(second.scope).toBe(first.scope);
  });
});

describe("opening a store", () => {
  it("refuses one that a newer silk has written", () => {
    const path = newPath();
    openStore(host, path)[Symbol.dispose]();
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA user_version = ${storeVersion + 1}`);
    database.close();
    const expected = expect.objectContaining({ code: "STORE_TOO_NEW", kind: "unsupported" });
    expect(() => openStore(host, path)).toThrow(expected);
    expect(() => openStoreReadOnly(host, path)).toThrow(expected);
  });

  it("says that a damaged one is damaged, and which", () => {
    const path = newPath();
    writeFileSync(
      path,
      "this is no database at all, and long enough to be looked at as one ".repeat(100),
    );
    expect(() => openStore(host, path)).toThrow(
      expect.objectContaining({ code: "STORE_DAMAGED", message: expect.stringContaining(path) }),
    );
  });
});

it("says which store is damaged also where that shows only as it is read", () => {
  const path = newPath();
  {
    using store = openStore(host, path);
    store.transaction(() => store.insertVm(record(1, "abc111", "web")));
  }
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0xaa, 4096));
  const read = () => openStoreReadOnly(host, path)?.listVms();
  expect(read).toThrow(
    expect.objectContaining({ code: "STORE_DAMAGED", message: expect.stringContaining(path) }),
  );
});

it("knows since when it is there", () => {
  const before = Date.now();
  using store = openStore(host, newPath());
  expect(store.sinceMs).toBeGreaterThanOrEqual(before - 1);
  expect(store.sinceMs).toBeLessThanOrEqual(Date.now());
});

describe("resolveVm", () => {
  const vms = [
    record(1, "abc111", "web"),
    record(2, "abc222", "db"),
    record(3, "web2", "abc"),
  ] as const;

  it("takes an id, a name, or a prefix of an id that only one has", () => {
    using store = storeWith(...vms);
    expect(resolveVm(store, "abc111").seq).toBe(1);
    expect(resolveVm(store, "db").seq).toBe(2);
    expect(resolveVm(store, "abc2").seq).toBe(2);
    expect(resolveVm(store, "abc").seq).toBe(3);
  });

  it("lists the candidates of an ambiguous prefix", () => {
    using store = storeWith(...vms.slice(0, 2));
    expect(() => resolveVm(store, "abc")).toThrow(
      expect.objectContaining({
        code: "REF_AMBIGUOUS",
        message: '"abc" is the beginning of more than one id: abc111 (web), abc222 (db)',
      }),
    );
  });

  it("takes no prefix shorter than three characters, and nothing from nothing", () => {
    using store = storeWith(...vms);
    const notFound = expect.objectContaining({ code: "VM_NOT_FOUND", kind: "not-found" });
    expect(() => resolveVm(store, "we")).toThrow(notFound);
    expect(() => resolveVm(store, "abc1%")).toThrow(notFound);
    expect(() => resolveVm(undefined, "web")).toThrow(notFound);
  });
});
