import type { CpusConfig } from "../config/types.ts";
import { VmmError } from "../errors.ts";

/** A vCPU is still on its way out: the caller should come again. */
export const PENDING_REMOVAL = "VcpuPendingRemovedVcpu";

/** The vCPUs of a running VM. */
export class Cpus {
  readonly #max: number;
  #present: number;
  #leaving = new Set<number>();

  constructor(config: CpusConfig) {
    this.#max = config.max_vcpus;
    this.#present = config.boot_vcpus;
  }

  get present(): number {
    return this.#present;
  }

  /** Asks for another number. Returns the CPUs that the guest has to let go. Throws a VmmError. */
  resize(desired: number): readonly number[] {
    if (desired === this.#present) return [];
    if (desired < 1) throw new VmmError("DesiredVCpuCountIsZero", "Requested zero vCPUs");
    if (this.#leaving.size > 0) throw new VmmError(PENDING_REMOVAL, "Still pending removed vCPU");
    if (desired > this.#present) {
      if (desired > this.#max)
        throw new VmmError("DesiredVCpuCountExceedsMax", "Requested vCPUs exceed maximum");
      this.#present = desired;
      return [];
    }
    const leaving = Array.from({ length: this.#present - desired }, (_, index) => desired + index);
    for (const id of leaving) this.#leaving.add(id);
    return leaving;
  }

  /** The guest has let a CPU go. */
  eject(id: number): void {
    if (this.#leaving.delete(id)) this.#present--;
  }
}
