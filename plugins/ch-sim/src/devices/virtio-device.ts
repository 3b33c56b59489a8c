import type { PciCommon } from "../config/types.ts";
import type { Disk } from "./disk.ts";

/** A virtio device that exists. */
export interface VirtioDevice {
  readonly id: string;
  /** What it is, in the word of the API's messages. */
  readonly kind: string;
  readonly pci: PciCommon;
  /** The image behind a disk. */
  readonly image?: Disk | undefined;
  readonly counters: Readonly<Record<string, bigint>> | undefined;
  /** What a snapshot says of it. */
  readonly state: () => unknown;
  /** Gives back what it holds open. */
  readonly close: () => void;
}
