import { formatMs } from "./format-ms.ts";
import { formatSize } from "./format-size.ts";

/** How far something is that moves bytes. */
export interface TransferProgress {
  readonly doneBytes: number;
  readonly totalBytes?: number | undefined;
  /** What had been there at the beginning: it says nothing of how fast it goes. Default 0. */
  readonly sinceBytes?: number | undefined;
}

/** `312M of 1G, 30%, 260M/s, 2.7 s left`: what is known of it. */
export function renderTransfer(progress: TransferProgress, tookMs: number): string {
  const { doneBytes, totalBytes, sinceBytes = 0 } = progress;
  const rate = tookMs > 0 ? (doneBytes - sinceBytes) / tookMs : 0;
  const words: string[] = [];
  if (totalBytes === undefined) words.push(formatSize(doneBytes));
  else {
    const share = totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes);
    words.push(
      `${formatSize(doneBytes)} of ${formatSize(totalBytes)}`,
      `${Math.floor(share * 100)}%`,
    );
  }
  if (rate > 0) words.push(renderRate(rate));
  if (totalBytes !== undefined && rate > 0 && totalBytes > doneBytes)
    words.push(`${formatMs(Math.round((totalBytes - doneBytes) / rate / 100) * 100)} left`);
  return words.join(", ");
}

/** `1G of data in 3.2 s, 320M/s`: what it came to, without the holes, which cost no time. */
export function renderTransferred(bytes: number, tookMs: number): string {
  const rate = tookMs > 0 ? `, ${renderRate(bytes / tookMs)}` : "";
  return `${formatSize(bytes)} of data in ${formatMs(tookMs)}${rate}`;
}

function renderRate(bytesPerMs: number): string {
  return `${formatSize(Math.round(bytesPerMs * 1000))}/s`;
}
