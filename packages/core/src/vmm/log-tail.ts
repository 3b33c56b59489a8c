import type { Host } from "../host.ts";

/** As much of the end of a log as an error carries. */
const tailBytes = 16 * 1024;
const tailLines = 40;

/** Where the log of a launch begins: earlier runs of the VM are in the same file. */
export async function logEnd(host: Host, logPath: string): Promise<number> {
  return (await host.files.stat(logPath))?.sizeBytes ?? 0;
}

/** The last lines that were written to a log since it had a length. */
export async function readLogSince(
  host: Host,
  logPath: string,
  offset: number,
): Promise<readonly string[]> {
  const end = await logEnd(host, logPath);
  const from = Math.max(offset, end - tailBytes);
  if (from >= end) return [];
  const bytes = await host.files.readRange(logPath, from, end - from);
  return Buffer.from(bytes).toString("utf8").trimEnd().split("\n").slice(-tailLines);
}
