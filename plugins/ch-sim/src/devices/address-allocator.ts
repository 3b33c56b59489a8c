/**
 * Hands out ranges of an address space from its end downwards, as the real program does, so that a device gets the same
 * address here as there.
 */
export class AddressAllocator {
  readonly #base: number;
  readonly #limit: number;
  /** Start and size of what is taken, by start. */
  readonly #taken: { readonly start: number; readonly size: number }[];

  /** `base` is the first address, `size` the number of addresses; both fit into 2^53. */
  constructor(base: number, size: number) {
    this.#base = base;
    this.#limit = base + size;
    this.#taken = [{ start: this.#limit, size: 0 }];
  }

  /** A range of `size` bytes, at `address` or wherever there is room. Undefined where there is none. */
  allocate(address: number | undefined, size: number, alignment: number): number | undefined {
    if (size === 0) return undefined;
    const start =
      address === undefined
        ? this.#highest(size, alignment)
        : this.#exactly(address, size, alignment);
    if (start === undefined) return undefined;
    const index = this.#taken.findIndex((range) => range.start > start);
    this.#taken.splice(index < 0 ? this.#taken.length : index, 0, { start, size });
    return start;
  }

  /** Gives a range back; it has to be one that was handed out. */
  free(start: number, size: number): void {
    const index = this.#taken.findIndex(
      (range) => range.start === start && range.size === size && size > 0,
    );
    if (index >= 0) this.#taken.splice(index, 1);
  }

  #highest(size: number, alignment: number): number | undefined {
    for (let index = this.#taken.length - 1; index >= 0; index--) {
      const upper = this.#taken[index]?.start ?? 0;
      const below = this.#taken[index - 1];
      const lower = alignUp(below === undefined ? this.#base : below.start + below.size, alignment);
      if (upper - lower >= size) return alignUp(upper - size - (alignment - 1), alignment);
    }
    return undefined;
  }

  #exactly(start: number, size: number, alignment: number): number | undefined {
    if (start % alignment !== 0 || start < this.#base || start >= this.#limit - 1) return undefined;
    let previousEnd = this.#base;
    for (const range of this.#taken) {
      if (start <= range.start)
        return previousEnd > start || range.start - start < size ? undefined : start;
      previousEnd = range.start + range.size;
    }
    return undefined;
  }
}

/** An address rounded up to a multiple of a power of two. */
export function alignUp(address: number, alignment: number): number {
  const over = address % alignment;
  return over === 0 ? address : address + alignment - over;
}
