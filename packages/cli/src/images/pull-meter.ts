import type { ImageProgress } from "@silkvm/images";
import { formatMs } from "../output/format-ms.ts";
import { formatSize } from "../output/format-size.ts";
import { renderTransfer } from "../output/transfer.ts";

/** What is known of one layer, or of the file of a cloud image. */
interface Item {
  readonly number: number | undefined;
  readonly doneBytes: number;
  readonly totalBytes: number | undefined;
  /** What was here before: it cost no time. */
  readonly firstBytes: number;
  readonly startedAt: number;
}

/** Downloads that took no longer are not worth a line of their own. */
const longMs = 1000;

const doing = {
  resolving: "looking it up",
  downloading: "all has arrived",
  verifying: "checking what is here",
  converting: "making a disk of it",
  done: "done",
} as const;

/** Puts into words how far a pull is: one line that changes, and a line for each large layer once it has arrived. */
export class PullMeter {
  readonly #items = new Map<string, Item>();
  #total: number | undefined;

  /**
   * @param nowMs a clock that only goes forward
   * @returns `line`, how far all of it is; `arrived`, where a layer is here now that took its time
   */
  see(
    { phase, item = "", index, total, doneBytes, totalBytes }: ImageProgress,
    nowMs: number,
  ): { readonly line: string; readonly arrived: string | undefined } {
    this.#total = total ?? this.#total;
    let arrived: string | undefined;
    if (phase === "downloading" && doneBytes !== undefined) {
      const known = this.#items.get(item);
      const now: Item = {
        number: index,
        firstBytes: known?.firstBytes ?? doneBytes,
        startedAt: known?.startedAt ?? nowMs,
        doneBytes,
        totalBytes,
      };
      this.#items.set(item, now);
      const isNew = known === undefined || known.doneBytes < doneBytes;
      if (isNew && doneBytes === totalBytes) arrived = this.#arrival(now, nowMs);
    }
    return { line: this.#line(phase, index, nowMs), arrived };
  }

  #line(phase: ImageProgress["phase"], index: number | undefined, nowMs: number): string {
    const items = [...this.#items.values()];
    const loading = items.filter(({ doneBytes, totalBytes }) => doneBytes !== totalBytes);
    if (loading.length === 0) return `${this.#name(index)}${doing[phase]}`;
    const sum = (of: (item: Item) => number): number =>
      loading.reduce((all, item) => all + of(item), 0);
    const known = loading.every(({ totalBytes }) => totalBytes !== undefined);
    const startedAt = Math.min(...loading.map((item) => item.startedAt));
    const how = renderTransfer(
      {
        doneBytes: sum(({ doneBytes }) => doneBytes),
        totalBytes: known ? sum(({ totalBytes }) => totalBytes ?? 0) : undefined,
        sinceBytes: sum(({ firstBytes }) => firstBytes),
      },
      nowMs - startedAt,
    );
    const numbers = loading.flatMap(({ number }) => number ?? []).toSorted((a, b) => a - b);
    const isOne = (this.#total ?? 1) <= 1;
    const which = isOne
      ? ""
      : `${numbers.length > 1 ? "layers" : "layer"} ${numbers.join(", ")} of ${this.#total}: `;
    return `${which}${how}`;
  }

  #arrival(item: Item, nowMs: number): string | undefined {
    const tookMs = Math.round(nowMs - item.startedAt);
    if (tookMs < longMs) return undefined;
    const rate = formatSize(Math.round(((item.doneBytes - item.firstBytes) / tookMs) * 1000));
    return `${this.#name(item.number)}${formatSize(item.doneBytes)} in ${formatMs(tookMs)}, ${rate}/s`;
  }

  #name(index: number | undefined): string {
    return index === undefined || this.#total === undefined || this.#total === 1
      ? ""
      : `layer ${index} of ${this.#total}: `;
  }
}
