import { dirname, resolve, sep } from "node:path";

import type { VmConfig } from "../config/types.ts";

/** What a process that has restricted itself may still open. Simulated: the simulator asks here before it opens something. */
export class Landlock {
  #allowed: readonly string[] | undefined;

  /** Allows what a config names, and nothing else any more. Once restricted, a process stays so. */
  restrictTo(config: VmConfig): void {
    const paths = [
      ...(config.disks ?? []).map((disk) => disk.path),
      ...(config.pmem ?? []).map((pmem) => pmem.file),
      ...(config.memory.zones ?? []).map((zone) => zone.file),
      ...(config.fs ?? []).map((fs) => fs.socket),
      ...(config.landlock_rules ?? []).map((rule) => rule.path),
      config.rng.src,
      config.payload?.kernel,
      config.payload?.firmware,
      config.payload?.initramfs,
      config.vsock === undefined ? undefined : dirname(config.vsock.socket),
    ];
    const named = paths.filter((path) => path !== undefined).map((path) => resolve(path));
    this.#allowed =
      this.#allowed === undefined
        ? named
        : this.#allowed.filter((path) => named.some((other) => covers(other, path)));
  }

  /** Whether a path may be opened. */
  permits(path: string): boolean {
    return (
      this.#allowed === undefined || this.#allowed.some((allowed) => covers(allowed, resolve(path)))
    );
  }
}

function covers(allowed: string, path: string): boolean {
  return path === allowed || path.startsWith(allowed.endsWith(sep) ? allowed : allowed + sep);
}
