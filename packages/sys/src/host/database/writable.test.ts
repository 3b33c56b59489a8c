import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { HostDatabase } from "@silkvm/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { scriptArguments, startScript } from "../../../test/script.ts";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import { linuxProcesses } from "../processes/processes.ts";
import { openWritable } from "./writable.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;

beforeEach(() => {
  directory = temporaryDirectory();
  path = directory.join("a?b#c%20.db");
});

afterEach(() => directory[Symbol.dispose]());

function open(): HostDatabase {
  const database = openWritable(path);
  database.exec("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, x ANY) STRICT");
  return database;
}

function count(database: HostDatabase): unknown {
  return database.prepare("SELECT count(*) AS n FROM t").get()?.["n"];
}

test("a new database is for its owner alone, in WAL mode, with foreign keys on", () => {
  using database = open();
  expect(readdirSync(directory.path).sort()).toEqual(
    ["", "-shm", "-wal"].map((suffix) => `a?b#c%20.db${suffix}`),
  );
  for (const name of readdirSync(directory.path))
    expect(statSync(directory.join(name)).mode & 0o777).toBe(0o600);
  expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  expect(database.prepare("PRAGMA foreign_keys").get()).toEqual({ foreign_keys: 1 });
  expect(database.prepare("PRAGMA busy_timeout").get()).toEqual({ timeout: 5000 });
});

test("values of every kind come back as they went in, and a run tells what it did", () => {
  using database = open();
  const insert = database.prepare("INSERT INTO t (x) VALUES (?)");
  const values = [null, 1.5, "ä", Uint8Array.from([0, 255]), Number.MAX_SAFE_INTEGER, 5n];
  expect(values.map((value) => insert.run(value).lastInsertRowid)).toEqual([1, 2, 3, 4, 5, 6]);
  const rows = database.prepare("SELECT x FROM t ORDER BY id").all();
  expect(rows.map((row) => row["x"])).toEqual([
    null,
    1.5,
    "ä",
    Uint8Array.from([0, 255]),
    Number.MAX_SAFE_INTEGER,
    5,
  ]);
  expect(database.prepare("DELETE FROM t WHERE id > ?").run(2)).toMatchObject({ changes: 4 });
  expect(database.prepare("SELECT x FROM t WHERE id = ?").get(77)).toBeUndefined();
});

test("a transaction is kept when its function returns and undone when it throws", () => {
  using database = open();
  const insert = database.prepare("INSERT INTO t (x) VALUES (?)");
  for (const durable of [false, true]) {
    const before = Number(count(database));
    expect(database.transaction(() => insert.run(1).changes, { durable })).toBe(1);
    const failure = new Error("no more");
    expect(() =>
      database.transaction(
        () => {
          insert.run(2);
          throw failure;
        },
        { durable },
      ),
    ).toThrow(failure);
    expect(count(database)).toBe(before + 1);
    expect(database.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: 1 });
  }
});

test("a transaction inside of another is refused, and the outer one goes on", () => {
  using database = open();
  database.transaction(() => {
    expect(() => database.transaction(() => 1)).toThrow("within a transaction");
    database.prepare("INSERT INTO t (x) VALUES (1)").run();
  });
  expect(count(database)).toBe(1);
});

test("a durable transaction runs with full synchronisation, another with normal", () => {
  using database = open();
  const level = (durable: boolean): unknown =>
    database.transaction(() => database.prepare("PRAGMA synchronous").get()?.["synchronous"], {
      durable,
    });
  expect([level(true), level(false)]).toEqual([2, 1]);
});

const hasStrace = (await linuxProcesses().which("strace")) !== undefined;
test.skipIf(!hasStrace)(
  "a durable commit is on the disk when it returns; another one is left to the kernel",
  async () => {
    const body = `
    const database = sys.linuxHost().openDatabase(args[0], { readOnly: false });
    database.transaction(() => database.exec("CREATE TABLE t (x)"));
    for (const durable of [true, false])
      database.transaction(() => database.exec("INSERT INTO t VALUES ('durable: " + durable + "')"), { durable });
    process.kill(process.pid, "SIGKILL");`;
    const trace = directory.join("trace");
    const strace = [
      "-f",
      "-e",
      "trace=pwrite64,fsync,fdatasync",
      "-s",
      "5000",
      "-o",
      trace,
      process.execPath,
    ];
    await linuxProcesses().run({
      command: "strace",
      args: [...strace, ...scriptArguments(body, path)],
    });
    const calls = readFileSync(trace, "latin1");
    const [durable, plain] = ["durable: true", "durable: false"].map((text) => calls.indexOf(text));
    expect(durable).toBeGreaterThan(0);
    expect(plain).toBeGreaterThan(durable ?? 0);
    expect(calls.slice(durable, plain)).toMatch(/f(data)?sync\(/);
    expect(calls.slice(plain)).not.toMatch(/f(data)?sync\(/);
  },
);

test("processes that make and fill one database at once lose nothing and do not fail", async () => {
  const body = `
    const host = sys.linuxHost();
    console.log("ready");
    for await (const number of process.stdin) {
      const database = host.openDatabase(args[0] + String(number).trim(), { readOnly: false });
      database.transaction(() => database.exec("CREATE TABLE IF NOT EXISTS t (x)"));
      for (let i = 0; i < 5; i += 1) database.transaction(() => database.prepare("INSERT INTO t VALUES (?)").run(i));
      console.log("done");
    }`;
  const scripts = Array.from({ length: 6 }, () => startScript(body, path));
  for (const script of scripts) expect(await script.line()).toBe("ready");
  for (let number = 0; number < 20; number += 1) {
    for (const { child } of scripts) child.stdin?.write(`${number}\n`);
    for (const script of scripts) expect(await script.line()).toBe("done");
    using database = openWritable(path + number);
    expect(count(database)).toBe(30);
  }
  await Promise.all(scripts.map((script) => script.kill()));
});

test("what is no database is told with SQLite's own number, a missing directory with its errno", () => {
  writeFileSync(path, "this is no database, and long enough to be looked at as one".repeat(20));
  expect(() => openWritable(path)).toThrow(
    expect.objectContaining({ code: "ERR_SQLITE_ERROR", errcode: 26 }),
  );
  expect(() => openWritable(directory.join("missing/db"))).toThrow(
    expect.objectContaining({ code: "ENOENT" }),
  );
});

test("opening a second connection does not lose the locks of the first", async () => {
  using first = open();
  first.transaction(() => {
    openWritable(path).close();
    expect(() => {
      using second = openWritable(path);
      second.exec("PRAGMA busy_timeout = 0");
      second.transaction(() => 1);
    }).toThrow(expect.objectContaining({ errcode: 5 }));
  });
  await using script = startScript(
    `const database = sys.linuxHost().openDatabase(args[0], { readOnly: false });
     console.log(database.prepare("SELECT count(*) AS n FROM t").get().n);`,
    path,
  );
  expect(await script.line()).toBe("0");
});

test("closing twice is fine, and using it afterwards is not", () => {
  const database = open();
  database.close();
  database.close();
  expect(() => database.exec("SELECT 1")).toThrow("not open");
});
