import { expect, it } from "vitest";
import { formatMs } from "./format-ms.ts";

it.each([
  [0, "0 ms"],
  [4.23, "4.2 ms"],
  [9.96, "10 ms"],
  [212.4, "212 ms"],
  [999.4, "999 ms"],
  [999.6, "1 s"],
  [1500, "1.5 s"],
  [59_949, "59.9 s"],
  [59_960, "1 min 0 s"],
  [125_000, "2 min 5 s"],
])("%d ms is shown as %s", (ms, shown) => {
  expect(formatMs(ms)).toBe(shown);
});
