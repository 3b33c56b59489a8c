import type { CallOptions, Host } from "@silkvm/core";
import { moveQcow2Backing } from "../qcow2.ts";
import { sideBySide } from "./side-by-side.ts";

/** A disk's content, and where it goes: nothing is there yet. */
export interface DiskCopy {
  readonly from: string;
  readonly to: string;
  /** Whether it must survive a crash of the host. Default false. */
  readonly durable?: boolean | undefined;
  /** Of an overlay: where the raw image below it is, if it is not where the overlay says. */
  readonly backingPath?: string | undefined;
}

/** Copies disks out of a snapshot, side by side, for a guest to write to. */
export async function copyDisks(
  host: Host,
  copies: readonly DiskCopy[],
  options: CallOptions,
): Promise<void> {
  await sideBySide(
    copies,
    async ({ from, to, durable = false, backingPath }, signal) => {
      await host.files.copy(from, to, { signal });
      // What a snapshot holds is read-only.
      await host.files.chmod(to, 0o600);
      if (backingPath !== undefined)
        await moveQcow2Backing(host, { path: to, backingPath, backingFormat: "raw", signal });
      if (durable) await host.files.sync(to);
    },
    options,
  );
}
