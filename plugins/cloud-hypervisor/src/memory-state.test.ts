import { expect, it } from "vitest";
import { checkLayout, type MemoryState } from "./memory-state.ts";

const gib = 1n << 30n;
type Stretch = readonly [start: bigint, length: bigint];

function layout(mappings: readonly Stretch[], ranges: readonly Stretch[] = mappings): MemoryState {
  return {
    ranges: ranges.map(([gpa, length]) => ({ gpa, length })),
    mappings: mappings.map(([gpa, size]) => ({ gpa, size, zoneId: "mem0", virtioMem: false })),
  };
}

it("memory in one piece or two, filled as a whole or in part, is laid out well", () => {
  checkLayout(layout([[0n, gib]]));
  checkLayout(
    layout([
      [4n * gib, gib],
      [0n, 3n * gib],
    ]),
  );
  checkLayout(
    layout(
      [[0n, gib]],
      [
        [4096n, 4096n],
        [8192n, 4096n],
      ],
    ),
  );
});

it.each<[string, MemoryState]>([
  ["at the end of all addresses", layout([[0n, gib]], [[(1n << 64n) - 1n, gib]])],
  ["beyond its end", layout([[0n, gib]], [[4096n, gib]])],
  ["where there is none", layout([[0n, gib]], [[4n * gib, gib]])],
  [
    "in one place twice",
    layout(
      [[0n, gib]],
      [
        [0n, gib / 2n],
        [0n, gib / 2n],
      ],
    ),
  ],
  [
    "that overlaps itself",
    layout(
      [
        [0n, gib],
        [gib / 2n, gib],
      ],
      [[0n, gib]],
    ),
  ],
  ["of which a part is as large as nothing", layout([[0n, 0n]], [])],
  ["of which a part is as large as everything", layout([[0n, 1n << 63n]], [])],
  ["without any place", layout([], [[0n, gib]])],
])("memory %s is refused", (_what, state) => {
  expect(() => {
    checkLayout(state);
  }).toThrow(expect.objectContaining({ code: "SNAPSHOT_DAMAGED" }));
});
