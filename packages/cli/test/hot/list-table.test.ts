import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type ProcessIdentity, storeVersion, type VmSummary } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listVms } from "../../src/hot/list-query.ts";
import { renderVmList, type VmListView } from "../../src/list-view.ts";
import { restingRows, running } from "./rows.ts";
import { addVms, makeStore, storePath, type VmRow } from "./store.ts";

const nowMs = Date.parse("2026-11-23T20:00:00.000Z");
const host = linuxHost();
const alive = host.processes.self();
let dir: string;
let database: DatabaseSync;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "silk-hot-"));
  await makeStore(dir);
  database = new DatabaseSync(storePath(dir));
});
afterAll(async () => {
  database.close();
  await rm(dir, { recursive: true });
});

/** Replaces what is in the store. */
function store(rows: readonly VmRow[], step?: number): void {
  database.exec("DELETE FROM vms; DELETE FROM vm_records");
  addVms(database, rows, step);
}

function view(changes: Partial<VmListView> = {}): VmListView {
  return { json: false, quiet: false, pretty: false, nowMs, ...changes };
}

/** What the launcher prints for a reader that is no terminal. */
function listed(changes: Partial<VmListView> = {}): string | undefined {
  const parts = listVms(dir, view(changes), false);
  return parts?.map((part) => Buffer.from(part as string).toString()).join("");
}

/** Undefined, too, where SQLite refuses: the launcher takes both alike. */
function listedOrThrown(changes: Partial<VmListView>): string | undefined {
  try {
    return listed(changes);
  } catch {
    return undefined;
  }
}

function summaries(rows: readonly VmRow[]): VmSummary[] {
  return rows.map(({ running: runs, problem, ...row }) => ({
    id: row.id,
    name: row.name,
    state: row.state,
    backend: row.backend,
    cpus: row.cpus,
    memoryBytes: row.memoryBytes,
    storageBytes: row.storageBytes,
    nics: row.nics,
    image: row.image,
    labels: row.labels,
    createdAt: row.createdAt,
    startedAt: runs?.startedAt ?? null,
    pid: runs?.vmm.pid ?? null,
    problem: problem ?? null,
    exitCode: null,
  }));
}

function expectSame(rows: readonly VmRow[]): void {
  for (const changes of [{}, { json: true }, { quiet: true }, { json: true, quiet: true }])
    expect(listed(changes)).toBe(renderVmList(summaries(rows), view(changes)));
}

describe("a list that SQLite lays out", () => {
  it("is the one that JavaScript lays out, byte for byte", () => {
    const some = restingRows({ nowMs, minLength: 1, maxLength: 40, shortest: "second" });
    fc.assert(
      fc.property(
        some,
        fc.infiniteStream(fc.nat(3)),
        fc.infiniteStream(fc.nat(3 * 86_400_000)),
        (rows, picks, starts) => {
          const mixed = rows.map((row) =>
            picks.next().value === 0
              ? running(row, alive, new Date(nowMs - starts.next().value).toISOString())
              : row,
          );
          // A few rows are left to JavaScript, unless their numbers say that there may be many.
          for (const step of [1, 300]) {
            store(mixed, step);
            expectSame(mixed);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("is right where the rows that it looks at first do not show what the others are like", () => {
    const many = (change: (index: number) => Partial<VmRow>): VmRow[] =>
      Array.from({ length: 3000 }, (_, index) => ({
        id: `vm${String(index).padStart(6, "0")}`,
        name: `web-${index}`,
        state: "stopped",
        backend: "cloud-hypervisor",
        cpus: 2,
        memoryBytes: 2 ** 30,
        storageBytes: 0,
        nics: 0,
        image: null,
        labels: {},
        createdAt: new Date(nowMs - (3000 - index) * 100_000).toISOString(),
        ...change(index),
      }));
    const odd = 1234;
    const cases: Partial<VmRow>[] = [
      {},
      { cpus: 64 },
      { memoryBytes: 5 },
      { storageBytes: 123_456_789_012 },
      { nics: 12 },
      { backend: "another-backend-with-a-long-name" },
      {
        state: "error",
        problem: { code: "VMM_DIED", message: "it died", at: "2026-11-20T00:00:00.000Z" },
      },
      { state: "error" },
      { id: "i" },
      { id: "a-much-longer-id-than-those-of-the-others" },
      { name: "n" },
      { name: "a-much-longer-name-than-those-of-the-others" },
      { createdAt: "2001-01-01T00:00:00.000Z" },
      { createdAt: "2031-01-01T00:00:00.000Z" },
      // Longer by as much as the others are shorter.
      { name: "web-1234xxxx", cpus: 7777 },
      running({} as VmRow, alive, "2026-11-23T11:00:00.000Z"),
    ];
    for (const change of cases) {
      const rows = many((index) => (index === odd ? change : {}));
      store(rows);
      expect(listed(), JSON.stringify(change)).toBe(renderVmList(summaries(rows), view()));
    }
  });

  it("is left to JavaScript where too much in it differs", () => {
    const rows = Array.from({ length: 600 }, (_, index) => ({
      id: `vm${index}`,
      name: `web-${index}`,
      state: "stopped" as const,
      backend: "cloud-hypervisor",
      cpus: 1,
      memoryBytes: 1000 * index,
      storageBytes: 0,
      nics: 0,
      image: null,
      labels: {},
      createdAt: "2026-11-01T00:00:00.000Z",
    }));
    store(rows);
    expectSame(rows);
  });
});

describe("a store that does not hold the whole truth is not answered from", () => {
  const one = (changes: Partial<VmRow>): VmRow => ({
    id: "vm1",
    name: "web",
    state: "stopped",
    backend: "cloud-hypervisor",
    cpus: 1,
    memoryBytes: 2 ** 30,
    storageBytes: 0,
    nics: 0,
    image: null,
    labels: {},
    createdAt: "2026-11-01T00:00:00.000Z",
    ...changes,
  });
  const dead: readonly [string, ProcessIdentity][] = [
    ["has ended", { ...alive, pid: 2 ** 22 + 1 }],
    ["has given its pid to another", { ...alive, startTime: alive.startTime + 1 }],
    ["ran before the host was restarted", { ...alive, bootId: "another" }],
  ];

  it.each(dead)("where a VMM %s", (_what, vmm) => {
    store([one({}), running(one({ id: "vm2", name: "db" }), vmm, "2026-11-20T00:00:00.000Z")]);
    for (const changes of [{}, { json: true }, { quiet: true }])
      expect(listed(changes)).toBeUndefined();
    expect(listVms(dir, view(), true)).toBeUndefined();
  });

  it("where a VM is being made", () => {
    store([one({ state: "creating" })]);
    expect(listed()).toBeUndefined();
  });

  it.each(["labels", "problem"])("where a VM's %s are no JSON", (column) => {
    store(
      Array.from({ length: 500 }, (_, index) => one({ id: `vm${index}`, name: `web${index}` })),
    );
    database.exec(`UPDATE vms SET ${column} = '{x' WHERE seq = 333`);
    for (const changes of [{}, { json: true }, { quiet: true }])
      expect(listedOrThrown(changes)).toBeUndefined();
  });

  it("where it is of another version", () => {
    store([one({})]);
    database.exec(`PRAGMA user_version = ${storeVersion + 1}`);
    expect(listed()).toBeUndefined();
    database.exec(`PRAGMA user_version = ${storeVersion}`);
    expect(listed()).toBeDefined();
  });
});
