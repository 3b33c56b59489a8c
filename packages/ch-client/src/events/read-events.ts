import { open, type FileHandle } from "node:fs/promises";
import type { ChEvent } from "./event.ts";
import { EventScanner } from "./event-scanner.ts";
import { FileChanges } from "./file-changes.ts";
import { defaultMaxEventBytes, throwIfAborted, type ParseEventsOptions } from "./parse-events.ts";

/** How the file of an event monitor is read. */
export interface ReadEventsOptions extends ParseEventsOptions {
  /** Go on with what is written later, until the signal aborts or the loop is left. Otherwise end at the end of the file. Default true. */
  readonly follow?: boolean | undefined;
  /** Begin with what is in the file already. Otherwise with what is written from now on. Default true. */
  readonly fromStart?: boolean | undefined;
}

const chunkBytes = 64 * 1024;
/** How much of what was read before is compared with the file, to see whether it is still the same. */
const tailBytes = 128;

/**
 * Reads the file behind `--event-monitor path=FILE`. With `follow` it need not be there yet, and a VMM that starts again and so empties
 * or replaces it is read from its start on. What is no event is left out.
 * @throws ChAbortError; without `follow` also Node's error where the file cannot be read. With it ENOENT alone is waited out.
 */
export async function* readEvents(
  path: string,
  options: ReadEventsOptions = {},
): AsyncGenerator<ChEvent, void, undefined> {
  const { signal, follow = true, fromStart = true } = options;
  const scanner = new EventScanner(options.maxEventBytes ?? defaultMaxEventBytes);
  // Watched before the first look, or what comes between the two would be seen late.
  using changes = follow ? new FileChanges(path) : undefined;
  const position: Position = { identity: "", offset: 0, tail: Buffer.alloc(0) };
  if (!fromStart) await skipToEnd(path, position, follow);
  for (;;) {
    throwIfAborted(signal);
    for await (const chunk of unread(path, position, scanner, follow)) {
      throwIfAborted(signal);
      yield* scanner.push(chunk);
    }
    throwIfAborted(signal);
    if (changes === undefined) return;
    await changes.next(signal);
  }
}

interface Position {
  /** Device and inode. */
  identity: string;
  offset: number;
  /** The bytes before the offset. */
  tail: Buffer;
}

/** The bytes that the file has beyond the position, which moves on. */
async function* unread(
  path: string,
  position: Position,
  scanner: EventScanner,
  mayBeMissing: boolean,
): AsyncGenerator<Buffer, void, undefined> {
  await using file = await openIfThere(path, mayBeMissing);
  if (file === undefined) return;
  const { dev, ino } = await file.stat();
  const identity = `${dev}:${ino}`;
  const tail = Buffer.alloc(position.tail.length);
  const { bytesRead } = await file.read(tail, 0, tail.length, position.offset - tail.length);
  if (identity !== position.identity || bytesRead < tail.length || !tail.equals(position.tail)) {
    Object.assign(position, { identity, offset: 0, tail: Buffer.alloc(0) });
    scanner.reset();
  }
  for (;;) {
    const chunk = Buffer.alloc(chunkBytes);
    const read = await file.read(chunk, 0, chunkBytes, position.offset);
    if (read.bytesRead === 0) return;
    const bytes = chunk.subarray(0, read.bytesRead);
    position.offset += bytes.length;
    position.tail = Buffer.concat([position.tail, bytes]).subarray(-tailBytes);
    yield bytes;
  }
}

async function skipToEnd(path: string, position: Position, mayBeMissing: boolean): Promise<void> {
  await using file = await openIfThere(path, mayBeMissing);
  if (file === undefined) return;
  const { dev, ino, size } = await file.stat();
  const tail = Buffer.alloc(Math.min(size, tailBytes));
  const { bytesRead } = await file.read(tail, 0, tail.length, size - tail.length);
  Object.assign(position, {
    identity: `${dev}:${ino}`,
    offset: size,
    tail: tail.subarray(0, bytesRead),
  });
}

async function openIfThere(path: string, mayBeMissing: boolean): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (mayBeMissing && error instanceof Error && "code" in error && error.code === "ENOENT")
      return undefined;
    throw error;
  }
}
