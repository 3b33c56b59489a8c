import { dirname, resolve, sep } from "node:path";

import type { VmConfig } from "../config/types.ts";
import { VmmError } from "../errors.ts";

interface Rule {
  readonly path: string;
  readonly write: boolean;
}

/** Whether a path may be opened, for writing or only for reading. */
export type Permits = (path: string, write: boolean) => boolean;

/** What a process that has restricted itself may still open. Simulated: the simulator asks here before it opens something. */
export class Landlock {
  /** Every set of rules has to allow what is opened: each restriction comes on top of those before it. */
  readonly #layers: Rule[][] = [];

  /** Allows what a config names, and nothing else any more. Once restricted, a process stays so. Throws a VmmError. */
  restrictTo(config: VmConfig): void {
    const writable = [
      ...(config.disks ?? []).map((disk) => disk.path),
      ...(config.memory.zones ?? []).map((zone) => zone.file),
      ...(config.fs ?? []).map((fs) => fs.socket),
      config.vsock === undefined ? undefined : dirname(config.vsock.socket),
    ];
    const readable = [
      config.rng.src,
      config.payload?.kernel,
      config.payload?.firmware,
      config.payload?.initramfs,
    ];
    const rules = [
      ...writable.map((path) => ({ path, write: true })),
      ...readable.map((path) => ({ path, write: false })),
      ...(config.pmem ?? []).map((pmem) => ({ path: pmem.file, write: !pmem.discard_writes })),
      ...(config.landlock_rules ?? []).map(({ path, access }) => ({
        path,
        write: isWriting(access),
      })),
    ];
    this.#layers.push(
      rules.flatMap(({ path, write }) =>
        path === undefined ? [] : [{ path: resolve(path), write }],
      ),
    );
  }

  /** Whether a path may be opened, for writing or only for reading. */
  permits(path: string, write: boolean): boolean {
    return this.#layers.every((rules) =>
      rules.some((rule) => (rule.write || !write) && covers(rule.path, resolve(path))),
    );
  }
}

/** What the letters of a rule allow. Throws a VmmError. */
function isWriting(access: string): boolean {
  if (access === "") throw invalidAccess("Access cannot be empty");
  const wrong = /[^rw]/u.exec(access)?.[0];
  if (wrong !== undefined) throw invalidAccess(`Invalid access: ${wrong}`);
  return access.includes("w");
}

function invalidAccess(reason: string): VmmError {
  return new VmmError(
    "ApplyLandlock",
    "Failed to apply landlock config during vm_create",
    new VmmError("InvalidLandlockAccess", `Invalid Landlock access: ${reason}`),
  );
}

function covers(allowed: string, path: string): boolean {
  return path === allowed || path.startsWith(allowed.endsWith(sep) ? allowed : allowed + sep);
}
