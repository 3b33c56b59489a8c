import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { sideBySide } from "./side-by-side.ts";

it("does no more at once than it may, and gives the results in their order", async () => {
  let running = 0;
  let most = 0;
  const results = await sideBySide(7, 3, async (index) => {
    running += 1;
    most = Math.max(most, running);
    for (let turn = 0; turn < 7 - index; turn += 1) await setImmediate();
    running -= 1;
    return index * 10;
  });
  expect(results).toEqual([0, 10, 20, 30, 40, 50, 60]);
  expect(most).toBe(3);
});
