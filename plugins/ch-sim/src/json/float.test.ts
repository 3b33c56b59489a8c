import { expect, it } from "vitest";

import { parseFloat64 } from "./float.ts";

it.each([
  ["0.5", 0.5],
  ["-1e3", -1000],
  ["123456789012345680000", 1.2345678901234567e20],
  ["1e-400", 0],
  ["1e400", Infinity],
])("reads %s as the real program does", (text, value) => {
  expect(parseFloat64(text)).toBe(value);
});
