import type { VmConfig } from "../config/types.ts";
import type { Guest } from "../guest/guest.ts";
import type { MemoryManager } from "../memory/memory-manager.ts";

/** What the guest has done of what it was asked: memory that it took in by virtio-mem, or gave away by its balloon. */
export class GuestShare {
  readonly #config: VmConfig;
  readonly #memory: MemoryManager;
  readonly #guest: Guest;
  #plugged = 0n;
  #balloon = 0n;

  constructor(config: VmConfig, memory: MemoryManager, guest: Guest) {
    this.#config = config;
    this.#memory = memory;
    this.#guest = guest;
  }

  /** Asks the guest for what the config and the zones now say. */
  ask(): void {
    this.#guest.release("memory", () => {
      this.#plugged = this.#memory.virtioMemRequested;
      this.#balloon = BigInt(this.#config.balloon?.size ?? 0);
    });
  }

  /** How much memory the guest has, of so much at boot. */
  actual(bootBytes: bigint): bigint {
    const left = bootBytes > this.#balloon ? bootBytes - this.#balloon : 0n;
    return left + this.#plugged;
  }
}
