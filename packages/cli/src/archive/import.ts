import { basename } from "node:path";
import type { SnapshotView } from "@silkvm/core";
import type { OpenEngine } from "../engine.ts";
import { renderTransferred } from "../output/transfer.ts";
import { openArchive } from "./open-archive.ts";

interface ImportWish {
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly allowPaths: readonly string[] | undefined;
}

/** Takes a snapshot in from a file, or from stdin, and says how far it is. Where it fails nothing is left of it. */
export async function importFrom(
  open: OpenEngine,
  path: string | undefined,
  wish: ImportWish,
): Promise<SnapshotView> {
  const { engine, host } = open;
  const content = await openArchive(host.files, path, process.stdin);
  const what = path === undefined || path === "-" ? "stdin" : basename(path);
  const tell = open.progress.transfer(`importing ${what}`);
  const startedAt = performance.now();
  const { importSnapshot } = await import("@silkvm/storage");
  let imported: SnapshotView | undefined;
  try {
    await open.deadline.follow(
      `cannot import ${what}`,
      async (signal) => {
        imported = await importSnapshot(engine, content, {
          ...wish,
          signal,
          onProgress: tell,
        });
      },
      [],
    );
  } finally {
    content.destroy();
  }
  if (imported === undefined) throw new Error("the import ended without a snapshot");
  const tookMs = Math.round(performance.now() - startedAt);
  const { allocatedBytes } = await engine.snapshots.inspect(imported.id, open.call());
  const moved = renderTransferred(allocatedBytes, tookMs);
  open.note(`Imported ${what} as ${imported.name}: ${moved}.`);
  return imported;
}
