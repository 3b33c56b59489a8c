import { chmod, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { storeVersion } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import * as fc from "fast-check";
import { restingRows, running } from "./rows.ts";
import { addVms, makeStore, storePath, type VmRow } from "./store.ts";

/** Directories with everything that a list of VMs may meet. */
export interface Places extends AsyncDisposable {
  readonly dir: string;
  /** Root directories below `stores`. */
  readonly stores: readonly string[];
  /** Configuration files below `config`. */
  readonly configs: readonly string[];
}

const configs: Readonly<Record<string, string>> = {
  "empty.json": "{}",
  "harmless.json": '{ "chBinary": "ch", "backend": "qemu", "stopGraceMs": 5 }',
  "root.json": '{ "rootDir": "stores/some" }',
  "plugins.json": '{ "plugins": ["no-such-plugin"] }',
  "unknown.json": '{ "nosuch": 1 }',
  "wrong.json": '{ "stopGraceMs": -1 }',
  "level.json": '{ "logLevel": "info" }',
  "list.json": "[]",
  "broken.json": "{",
};

export async function makePlaces(): Promise<Places> {
  const dir = await mkdtemp(join(tmpdir(), "silk-fuzz-"));
  for (const name of ["home", "stores", "config", "themed/silk", "plugged/silk", "unplugged/silk"])
    await mkdir(join(dir, name), { recursive: true });
  for (const [name, text] of Object.entries(configs))
    await writeFile(join(dir, "config", name), text);
  await writeFile(join(dir, "themed/silk/theme.json"), '{ "bin": "red", "command": "cyan" }');
  await writeFile(
    join(dir, "unplugged/silk/package.json"),
    '{ "oclif": { "schema": 1, "plugins": [] } }',
  );
  await linkPlugin(dir);
  const writer = await makeStores(dir);
  return {
    dir,
    stores: ["none", ...(await linuxHost().files.list(join(dir, "stores")))],
    configs: [...Object.keys(configs), "missing.json"],
    [Symbol.asyncDispose]: async () => {
      writer.close();
      await chmod(join(dir, "stores/read-only"), 0o700);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A plugin with a command, a hook that runs before each command, and one that fails. */
async function linkPlugin(dir: string): Promise<void> {
  const root = join(dir, "plugin");
  await mkdir(join(root, "commands"), { recursive: true });
  const files: Readonly<Record<string, string>> = {
    "package.json": JSON.stringify({
      name: "plugin",
      version: "1.0.0",
      type: "module",
      oclif: {
        commands: "./commands",
        hooks: { init: "./init.js", prerun: "./fail.js" },
        topicSeparator: " ",
      },
    }),
    "init.js": "export default async ({ id }) => process.stderr.write(`before ${id}\\n`);",
    "fail.js": 'export default async () => { throw new Error("no"); };',
    "commands/hello.js":
      'export default { id: "hello", args: {}, flags: {}, run: async (argv) => console.log("hello", argv) };',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text);
  const pjson = { oclif: { schema: 1, plugins: [{ name: "plugin", root, type: "link" }] } };
  await writeFile(join(dir, "plugged/silk/package.json"), JSON.stringify(pjson));
}

/** @returns the connection that keeps one store's write-ahead log from being folded into it */
async function makeStores(dir: string): Promise<DatabaseSync> {
  const nowMs = Date.now();
  const rows = (count: number, seed: number): VmRow[] => {
    const arbitrary = restingRows({ nowMs, maxLength: count, minLength: count, shortest: "hour" });
    return fc.sample(arbitrary, { numRuns: 1, seed })[0] as VmRow[];
  };
  const alive = linuxHost().processes.self();
  const startedAt = new Date(nowMs - 5.5 * 3_600_000).toISOString();
  const make = async (name: string, vms: readonly VmRow[], sql = ""): Promise<string> => {
    const root = join(dir, "stores", name);
    await makeStore(root);
    using database = new DatabaseSync(storePath(root));
    addVms(database, vms);
    database.exec(sql);
    return root;
  };
  await mkdir(join(dir, "stores/no-store"));
  await mkdir(join(dir, "stores/directory/silk.db"), { recursive: true });
  await make("empty", []);
  await make("one", rows(1, 1));
  await make("some", rows(30, 2));
  await make("thousand", rows(1000, 3));
  await make(
    "running",
    rows(20, 4).map((row, index) => (index % 3 === 0 ? running(row, alive, startedAt) : row)),
  );
  await make(
    "dead",
    rows(5, 5).map((row) => running(row, { ...alive, startTime: 1 }, startedAt)),
  );
  await make("half-made", rows(3, 6), "UPDATE vms SET state = 'creating' WHERE seq = 2");
  await make("newer", rows(3, 7), `PRAGMA user_version = ${storeVersion + 1}`);
  await make("older", rows(3, 8), "PRAGMA user_version = 0");
  await make("no-scope", rows(3, 9), "DELETE FROM meta");
  await make("no-table", rows(3, 10), "DROP TABLE vms");
  await make("no-labels", rows(3, 11), "UPDATE vms SET labels = 'x' WHERE seq = 2");
  await truncate(storePath(await make("cut", rows(200, 12))), 20_000);
  await writeFile(storePath(await make("garbage", [])), "this is no database\n".repeat(1000));
  await writeFile(storePath(await make("nothing", [])), "");
  await chmod(storePath(await make("unreadable", rows(3, 13))), 0);
  await chmod(await make("read-only", rows(3, 14)), 0o555);
  await symlink(join(dir, "stores/some"), join(dir, "stores/linked"));
  const logged = new DatabaseSync(storePath(await make("logged", rows(3, 15))));
  logged.exec("UPDATE vms SET cpus = 77");
  return logged;
}
