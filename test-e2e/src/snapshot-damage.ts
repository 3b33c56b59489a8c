import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parseJson, stringifyJson } from "@silkvm/ch-client";
import { manifestName, type SnapshotManifest, writeManifest } from "@silkvm/core";
import { hashFile } from "@silkvm/storage";
import { linuxHost } from "@silkvm/sys";

const host = linuxHost();

/** Where a file is damaged, and what it can be taken from. */
interface Damaged {
  readonly path: string;
  /** The same file, whole. */
  readonly whole: string;
  /** The file of that name of another VM's snapshot. */
  readonly others: string;
}

/** What can have happened to a file of a snapshot. */
export const damages: Readonly<Record<string, (damaged: Damaged) => void>> = {
  "is missing": ({ path }) => rmSync(path),
  "is one byte short": ({ path }) => truncateSync(path, statSync(path).size - 1),
  "is empty": ({ path }) => truncateSync(path, 0),
  "is one byte too long": ({ path }) => appendFileSync(path, "x"),
  "has one bit flipped": ({ path }) => {
    const bytes = readFileSync(path);
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] as number) ^ 4;
    writeFileSync(path, bytes);
  },
  "is that of another VM's snapshot": ({ path, others }) => copyFileSync(others, path),
  "is a symlink to the very content": ({ path, whole }) => {
    rmSync(path);
    symlinkSync(whole, path);
  },
  "is a directory": ({ path }) => {
    rmSync(path);
    mkdirSync(path);
  },
  "is a FIFO that nobody writes to": ({ path }) => {
    rmSync(path);
    execFileSync("mkfifo", [path]);
  },
};

/** A copy of a snapshot's directory that can be written to. */
export function copySnapshot(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  execFileSync("cp", ["-r", "--sparse=always", from, to]);
  execFileSync("chmod", ["-R", "u+w", to]);
}

/** Changes a JSON file of a snapshot: every digit of its numbers stays. */
export function editJson(
  path: string,
  edit: (content: Record<string, unknown>) => Record<string, unknown>,
): void {
  const content = parseJson(readFileSync(path, "utf8"), { exact: true });
  chmodSync(path, 0o600);
  writeFileSync(path, stringifyJson(edit(content as Record<string, unknown>)));
}

/** Makes a snapshot that was changed one that agrees with itself: all its digests are right. */
export async function reseal(
  directory: string,
  change: (manifest: SnapshotManifest) => SnapshotManifest = (manifest) => manifest,
): Promise<void> {
  const path = join(directory, manifestName);
  const { sha256: _digest, ...manifest } = JSON.parse(
    readFileSync(path, "utf8"),
  ) as SnapshotManifest & { readonly sha256: string };
  const files = await Promise.all(
    manifest.files.map(async ({ name }) => ({
      name,
      ...(await hashFile(host, join(directory, name))),
    })),
  );
  await writeManifest(host, directory, change({ ...manifest, files }));
}
