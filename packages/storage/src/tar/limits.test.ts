import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, test } from "vitest";
import { shelf } from "../../test/shelf.ts";
import { makeSnapshot } from "../../test/snapshot.ts";
import { dense, writeSparse } from "../../test/sparse-file.ts";
import { collect, file, pieces, tar } from "../../test/tar-bytes.ts";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { exportSnapshotTo } from "../archive/export-snapshot-to.ts";
import { exportSnapshot } from "../archive/export-snapshot.ts";
import { importSnapshot } from "../archive/import-snapshot.ts";
import { packFiles } from "./pack-files.ts";
import { unpackFiles } from "./unpack-files.ts";

const host = linuxHost();
const mib = 2 ** 20;

test("memory stays the same however much passes through", async () => {
  using directory = temporaryDirectory();
  const path = directory.join("disk");
  const piece = dense(mib);
  writeSparse(
    path,
    20 * 1024 * mib,
    Array.from({ length: 384 }, (_, index) => ({ position: index * 50 * mib, bytes: piece })),
  );
  mkdirSync(directory.join("to"));
  const script = `
    import { linuxHost } from "@silkvm/sys";
    import { packFiles, unpackFiles } from "${new URL("../index.ts", import.meta.url).href}";
    const host = linuxHost();
    const [from, to] = process.argv.slice(1);
    const pass = async (name) => {
      const stream = packFiles(host, from, [name]);
      const rule = () => ({ maxBytes: 2 ** 40, action: "write" });
      await unpackFiles(host, stream, to, { rule });
      return process.resourceUsage().maxRSS / 1024;
    };
    const before = await pass("small");
    console.log(JSON.stringify([before, await pass("disk")]));`;
  writeFileSync(directory.join("small"), dense(32 * mib));
  const flags = ["--conditions=@silkvm/source", "--input-type=module"];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...flags, "-e", script, "--", directory.path, directory.join("to")],
    { cwd: import.meta.dirname },
  );
  const [before = 0, after = Infinity] = JSON.parse(stdout) as number[];
  expect(after - before).toBeLessThan(64);
}, 60_000);

describe.skipIf(process.getuid?.() !== 0)("on a file system that is full", () => {
  /** An empty file system of this size, in memory, unmounted when its scope ends. */
  function smallFileSystem(sizeBytes: number): Disposable & { readonly path: string } {
    const directory = temporaryDirectory();
    const { path } = directory;
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", path]);
    return {
      path,
      [Symbol.dispose]: () => {
        execFileSync("umount", [path]);
        directory[Symbol.dispose]();
      },
    };
  }
  const full = { name: "SilkError", code: "DISK_FULL", kind: "failed" };

  test("an archive is refused, be it sparse or dense", async () => {
    using source = temporaryDirectory();
    using small = smallFileSystem(4 * mib);
    writeSparse(source.join("disk"), 16 * mib, [{ position: 0, bytes: dense(8 * mib) }]);
    const sparse = await collect(packFiles(host, source.path, ["disk"]));
    for (const archive of [sparse, tar(file("dense", dense(8 * mib)))]) {
      mkdirSync(`${small.path}/in`);
      await expect(
        unpackFiles(host, pieces(archive, 65_536), `${small.path}/in`, {
          rule: () => ({ maxBytes: 64 * mib, action: "write" }),
        }),
      ).rejects.toMatchObject(full);
      await host.files.remove(`${small.path}/in`);
    }
  });

  test("an import and an export to a directory leave nothing behind", async () => {
    using directory = temporaryDirectory();
    using small = smallFileSystem(3 * mib);
    const stock = shelf(host, directory.path);
    await makeSnapshot(host, stock.directoryOf("golden"));
    const archive = await collect(await exportSnapshot(stock, "golden"));
    const other = shelf(host, small.path);
    await expect(importSnapshot(other, pieces(archive, 65_536))).rejects.toMatchObject(full);
    expect(await host.files.list(small.path)).toEqual([]);
    await expect(exportSnapshotTo(stock, "golden", `${small.path}/copy`)).rejects.toMatchObject(
      full,
    );
    expect(await host.files.list(small.path)).toEqual([]);
    expect(stock.held()).toBe(0);
  });
});
