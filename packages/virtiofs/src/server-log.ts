import { stripVTControlCharacters } from "node:util";
import type { Host } from "@silkvm/core";

/** So much of the end of a log goes into an error. */
const mostBytes = 16 * 1024;
const mostLines = 20;

/** Where a log ends now. */
export async function logEnd({ files }: Pick<Host, "files">, path: string): Promise<number> {
  return (await files.stat(path))?.sizeBytes ?? 0;
}

/** What was written to a log since it ended there; the end of it, where that is much. */
export async function readLog(
  { files }: Pick<Host, "files">,
  path: string,
  since: number,
): Promise<string> {
  const end = (await files.stat(path))?.sizeBytes ?? 0;
  const start = Math.max(since, end - mostBytes);
  if (end <= start) return "";
  return Buffer.from(await files.readRange(path, start, end - start)).toString("utf8");
}

/** The last lines of a log, without times and colors. */
export function toldLines(text: string): readonly string[] {
  return stripVTControlCharacters(text)
    .split("\n")
    .map((line) => line.replace(/^\[\S+ (?<level>[A-Z]+) +[\w:]+\] /, "").trim())
    .filter((line) => line !== "")
    .slice(-mostLines);
}

/** What a virtiofsd says that does well. */
const ordinary =
  /Waiting for vhost-user|Received vhost-user|virtio_loop: (?:Entry|Exit)|Client (?:dis)?connected|the hard limit \(\d+\) of open file descriptors/;

/** The last line that tells of a trouble. */
export function lastWords(lines: readonly string[]): string | undefined {
  return lines.findLast((line) => !ordinary.test(line));
}
