import { SilkError } from "../errors.ts";

const mib = 1024 ** 2;
export const gib = 1024 ** 3;
const tib = 1024 ** 4;
const pageBytes = 4096;
const hugePageBytes = 2 * mib;

/** The largest memory that a VMM can be asked for: far above any host, far below where address arithmetic overflows in one. */
const largestMemoryBytes = 2 ** 44;

/** The largest file that ext4 and XFS both hold: 16 TiB less a block. */
const largestDiskBytes = 2 ** 44 - pageBytes;

/** What a VM's own disk is called in messages. */
export const ownDisk = "the VM's own disk";

/** @throws SilkError `INVALID_MEMORY` */
export function checkMemory(memoryBytes: number, hugepages: boolean): number {
  const unit = hugepages ? hugePageBytes : pageBytes;
  const invalid = (message: string, hint: string): SilkError =>
    new SilkError(message, {
      code: "INVALID_MEMORY",
      kind: "invalid",
      hint,
      details: { memoryBytes },
    });
  if (memoryBytes < mib || memoryBytes > largestMemoryBytes)
    throw invalid(
      `a memory of ${sizeText(memoryBytes)} is too ${memoryBytes < mib ? "small" : "large"}`,
      `Give at least 1M and at most ${sizeText(largestMemoryBytes)}; --memory takes 512M, 2G or plain bytes.`,
    );
  if (memoryBytes % unit !== 0)
    throw invalid(
      `a memory of ${memoryBytes} bytes is no multiple of ${unit}`,
      `Memory comes in pages of ${hugepages ? "2 MiB" : "4 KiB"}.`,
    );
  return memoryBytes;
}

/** @throws SilkError `INVALID_DISK` */
export function checkDiskSize(sizeBytes: number, what: string): number {
  if (
    sizeBytes === 0 ||
    (sizeBytes >= mib && sizeBytes <= largestDiskBytes && sizeBytes % 512 === 0)
  )
    return sizeBytes;
  throw new SilkError(`${what} cannot have a size of ${sizeText(sizeBytes)}`, {
    code: "INVALID_DISK",
    kind: "invalid",
    hint: "Give at least 1M and less than 16T, in whole sectors of 512 bytes; 0 means no disk.",
    details: { sizeBytes },
  });
}

/** A size as a person types it, down to the last byte: a size that is wrong is often wrong by a few. */
export function sizeText(bytes: number): string {
  for (const [unit, letter] of [
    [tib, "T"],
    [gib, "G"],
    [mib, "M"],
  ] as const)
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${letter}`;
  if (bytes < gib) return `${bytes} bytes`;
  return `${bytes} bytes (${(bytes / gib).toFixed(1)}G)`;
}
