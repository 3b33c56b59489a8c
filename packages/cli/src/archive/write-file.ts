import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import type { FileKind, FileStat, HostFile, HostFiles } from "@silkvm/core";
import { CliError } from "../cli-error.ts";

interface WriteOptions {
  /** Replace a file that is there. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}

/**
 * Writes a stream to a new file, for its owner alone: under another name beside it, which is on the disk before it gets its own. Where
 * anything fails nothing is left.
 * @returns how many bytes it has
 * @throws CliError `FILE_EXISTS`, `NOT_A_FILE`, `FILE_NOT_FOUND`; what the stream and the file system throw
 */
export async function writeArchive(
  files: HostFiles,
  path: string,
  content: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<number> {
  const temporary = join(
    dirname(path),
    `.${basename(path)}.${randomBytes(4).toString("hex")}.part`,
  );
  const file = await files.open(temporary, "create", { mode: 0o600 });
  try {
    let sizeBytes: number;
    try {
      sizeBytes = await writeAll(file, content, options.signal);
      await file.sync();
    } finally {
      await file[Symbol.asyncDispose]();
    }
    if (options.force) await files.rename(temporary, path);
    else await publish(files, temporary, path);
    await files.sync(dirname(path));
    return sizeBytes;
  } catch (error) {
    await files.remove(temporary);
    throw error;
  }
}

async function writeAll(
  file: HostFile,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<number> {
  let position = 0;
  for await (const bytes of content) {
    signal.throwIfAborted();
    await file.write(bytes, position);
    position += bytes.length;
    giveBack(bytes);
  }
  return position;
}

/** Frees the memory of bytes that nobody needs any more, where it is theirs alone: it would pile up until the garbage collector sees a reason to run. */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer?.(0);
}

/** Gives a whole file its name, unless something has it by now. */
async function publish(files: HostFiles, temporary: string, path: string): Promise<void> {
  try {
    await files.link(temporary, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw fileExists(path);
    // File systems without hard links: nothing there can tell a name that is taken from one that is free in one step.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code ?? "")) throw error;
    await checkArchivePath(files, path, false);
    await files.rename(temporary, path);
    return;
  }
  await files.remove(temporary);
}

/**
 * Looks, before anything is done, whether an archive can be written there.
 * @returns what the path is where it is a device or a FIFO, to be written to as it is
 * @throws CliError `FILE_EXISTS`, `NOT_A_FILE`, `FILE_NOT_FOUND`
 */
export async function checkArchivePath(
  files: HostFiles,
  path: string,
  force: boolean,
): Promise<FileKind | undefined> {
  const [stat, parent] = await Promise.all([files.stat(path), files.stat(dirname(path))]);
  if (parent?.kind !== "directory")
    throw new CliError(`there is no directory ${dirname(path)}`, {
      code: "FILE_NOT_FOUND",
      kind: "not-found",
    });
  if (stat?.kind === "directory")
    throw new CliError(`${path} is a directory`, {
      code: "NOT_A_FILE",
      kind: "invalid",
      hint: "Name a file; --to-dir makes a directory with the snapshot's files.",
    });
  if (stat !== undefined && isStream(stat)) return stat.kind;
  if (stat !== undefined && !force) throw fileExists(path);
  return undefined;
}

function isStream({ kind }: FileStat): boolean {
  return kind === "character-device" || kind === "fifo" || kind === "block-device";
}

function fileExists(path: string): CliError {
  return new CliError(`${path} is there already`, {
    code: "FILE_EXISTS",
    kind: "conflict",
    hint: "Name another file, or give --force to replace it.",
  });
}
