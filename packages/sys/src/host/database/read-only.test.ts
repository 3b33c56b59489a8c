import { copyFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import type { HostDatabase } from "@silkvm/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readOnlyDirectory } from "../../../test/read-only-directory.ts";
import { startScript } from "../../../test/script.ts";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import { openReadOnly } from "./read-only.ts";
import { openWritable } from "./writable.ts";

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;

beforeEach(() => {
  directory = temporaryDirectory();
  path = directory.join("a?b#c%20.db");
  using database = openWritable(path);
  database.exec("CREATE TABLE t (x); INSERT INTO t VALUES (1)");
});

afterEach(() => directory[Symbol.dispose]());

function values(database: HostDatabase): unknown[] {
  return database
    .prepare("SELECT x FROM t ORDER BY x")
    .all()
    .map((row) => row["x"]);
}

/** Everything in the directory that a write would change. (Not the change times: as root, SQLite gives the log's owner to it anew.) */
function state(): readonly string[] {
  const names = [
    directory.path,
    ...readdirSync(directory.path).map((name) => directory.join(name)),
  ];
  return names.map((name) => {
    const { ino, size, mtimeNs } = statSync(name, { bigint: true });
    return [name, ino, size, mtimeNs].join(" ");
  });
}

test("reading a database that nobody has open changes nothing in its directory", () => {
  const before = state();
  using database = openReadOnly(path);
  expect(values(database)).toEqual([1]);
  database.close();
  expect(state()).toEqual(before);
});

test("reading beside a writer sees each of its commits and changes nothing", () => {
  using writer = openWritable(path);
  const insert = writer.prepare("INSERT INTO t VALUES (?)");
  insert.run(2);
  const before = state();
  using database = openReadOnly(path);
  expect(values(database)).toEqual([1, 2]);
  expect(state()).toEqual(before);
  insert.run(3);
  expect(values(database)).toEqual([1, 2, 3]);
});

test("a reader that was there first sees what a writer does later, and what is left when it has gone", () => {
  using database = openReadOnly(path);
  expect(values(database)).toEqual([1]);
  const writer = openWritable(path);
  writer.exec("INSERT INTO t VALUES (2)");
  expect(values(database)).toEqual([1, 2]);
  writer.close();
  const second = openWritable(path);
  second.exec("INSERT INTO t VALUES (3)");
  second.close();
  expect(values(database)).toEqual([1, 2, 3]);
});

test("a reader sees what a writer has done and moved into the file between two reads", () => {
  using database = openReadOnly(path);
  expect(values(database)).toEqual([1]);
  const writer = openWritable(path);
  writer.exec("INSERT INTO t VALUES (2)");
  writer.close();
  expect(readdirSync(directory.path)).toHaveLength(1);
  expect(values(database)).toEqual([1, 2]);
});

test("a store that cannot be written is read, whole, after a writer was killed too", async () => {
  await using script = startScript(
    `const database = sys.linuxHost().openDatabase(args[0], { readOnly: false });
     database.exec("INSERT INTO t VALUES (2)");
     console.log("ready");
     setInterval(() => {}, 1000);`,
    path,
  );
  await script.line();
  await script.kill();
  expect(readdirSync(directory.path)).toHaveLength(3);
  const before = state();
  using _readOnly = readOnlyDirectory(directory.path);
  using database = openReadOnly(path);
  expect(values(database)).toEqual([1, 2]);
  expect(state().slice(1)).toEqual(before.slice(1));
});

test("a store that cannot be written and was closed well is read", () => {
  using _readOnly = readOnlyDirectory(directory.path);
  using database = openReadOnly(path);
  expect(values(database)).toEqual([1]);
  expect(() => database.exec("INSERT INTO t VALUES (2)")).toThrow(
    expect.objectContaining({ errcode: 8 }),
  );
});

test("a transaction's reads are of one moment", () => {
  using writer = openWritable(path);
  writer.exec("INSERT INTO t VALUES (2)");
  using database = openReadOnly(path);
  const seen = database.transaction(() => {
    const before = values(database);
    writer.exec("INSERT INTO t VALUES (3)");
    return [before, values(database)];
  });
  expect(seen).toEqual([
    [1, 2],
    [1, 2],
  ]);
  expect(values(database)).toEqual([1, 2, 3]);
});

test("a transaction whose file changes on its way is run again", () => {
  using database = openReadOnly(path);
  let runs = 0;
  const seen = database.transaction(() => {
    runs += 1;
    const before = values(database);
    if (runs === 1) {
      // The last one to close a database moves all of its log into the file.
      const writer = openWritable(path);
      writer.exec("INSERT INTO t VALUES (2)");
      writer.close();
    }
    return [before, values(database)];
  });
  expect(seen).toEqual([
    [1, 2],
    [1, 2],
  ]);
  expect(runs).toBe(2);
});

test("reads beside writers that come and go are always of one moment", async () => {
  const body = `
    const host = sys.linuxHost();
    console.log("ready");
    for (let n = 2; ; n += 1) {
      using database = host.openDatabase(args[0], { readOnly: false });
      database.transaction(() => {
        database.exec("UPDATE t SET x = x + 1");
        database.prepare("INSERT INTO t VALUES (?)").run(1);
        database.prepare("DELETE FROM t WHERE x > 400").run();
      });
    }`;
  await using writer = startScript(body, path);
  await writer.line();
  using database = openReadOnly(path);
  let reads = 0;
  let last = 0;
  for (; reads < 100 || last < 10; reads += 1) {
    // Every commit leaves 1, 2, 3, … without a gap.
    const found = values(database) as number[];
    expect(found).toEqual(found.map((_, index) => index + 1));
    expect(found.length).toBeGreaterThanOrEqual(last);
    last = found.length;
  }
  await writer.kill();
});

test("a missing database is ENOENT and is not made", () => {
  const missing = directory.join("missing");
  expect(() => openReadOnly(missing)).toThrow(expect.objectContaining({ code: "ENOENT" }));
  expect(readdirSync(directory.path)).toHaveLength(1);
});

test("what is no database, and a damaged one, is told with SQLite's own number when it is opened", () => {
  const other = directory.join("other");
  writeFileSync(other, "this is no database, and long enough to be looked at as one".repeat(20));
  expect(() => openReadOnly(other)).toThrow(
    expect.objectContaining({ code: "ERR_SQLITE_ERROR", errcode: 26 }),
  );
  copyFileSync(path, other);
  const page = Buffer.alloc(4096, 0x5a);
  page.write("SQLite format 3\0", "latin1");
  writeFileSync(other, page, { flag: "r+" });
  expect(() => openReadOnly(other)).toThrow(expect.objectContaining({ code: "ERR_SQLITE_ERROR" }));
});

test("a statement that is wrong fails when it is prepared", () => {
  using database = openReadOnly(path);
  expect(() => database.prepare("SELECT x FROM nowhere")).toThrow("no such table");
});

test("closing twice is fine, and using it afterwards is not", () => {
  const database = openReadOnly(path);
  database.close();
  database.close();
  openWritable(path).exec("INSERT INTO t VALUES (2)");
  expect(() => values(database)).toThrow("not open");
});
