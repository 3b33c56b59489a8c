import { join } from "node:path";
import { type CallOptions, type Host, type SnapshotSource } from "@silkvm/core";
import { linkOrCopy } from "@silkvm/storage";
import type { CheckedSnapshot } from "./check-snapshot.ts";
import { rewriteForCow } from "./cow-rewrite.ts";
import type { Machine } from "./machine.ts";
import type { ModeChoice } from "./restore-mode.ts";
import { type Placement, place } from "./snapshot-config.ts";
import { formatDocuments } from "./snapshot-documents.ts";
import { configName, memoryName, stateName } from "./snapshot-names.ts";

/** What the VMM is to read. */
export interface RestoreFiles {
  readonly checked: CheckedSnapshot;
  readonly placement: Placement;
  readonly used: ModeChoice["used"];
  /** Where the files are when the VMM reads them: also that of a memory file that it maps. */
  readonly directory: string;
}

/** Makes a directory for the VMM to restore from: the memory file by a second name, the rest rewritten. */
export async function makeRestoreFiles(
  { host }: Machine,
  source: SnapshotSource,
  files: RestoreFiles & { readonly madeIn: string },
  { signal }: CallOptions,
): Promise<void> {
  await host.files.mkdir(files.madeIn, { mode: 0o700 });
  await linkOrCopy(host, join(source.directory, memoryName), join(files.madeIn, memoryName), {
    signal,
  });
  await writeDocuments(host, files, files.madeIn);
}

/** Writes config.json and state.json anew, for another mode. */
export async function writeDocuments(
  host: Host,
  { checked, placement, used, directory }: RestoreFiles,
  madeIn: string = directory,
): Promise<void> {
  const { documents, memorySizeBytes: sizeBytes } = checked;
  const path = join(directory, memoryName);
  const placed = place(
    used === "cow" ? rewriteForCow(documents, { path, sizeBytes }) : documents,
    placement,
  );
  const { config, state } = formatDocuments(placed);
  await write(host, join(madeIn, configName), config);
  await write(host, join(madeIn, stateName), state);
}

/** Not synced: after a crash of the host nobody restores from them. */
async function write(host: Host, path: string, text: string): Promise<void> {
  await host.files.remove(path);
  await using file = await host.files.open(path, "create", { mode: 0o600 });
  await file.write(Buffer.from(text), 0);
}
