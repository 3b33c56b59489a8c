import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { Box } from "./box.ts";
import { isLong } from "../long.ts";
import { findBoxParts } from "./needs.ts";
import { story } from "./traces.ts";

/** A command takes seconds in the box and a boot of a guest ten, and more on a machine that is busy with other tests. */
const timeout = 300_000;

type Tests = (box: () => Box) => void;

/** Tests on one box that is theirs; skipped, with the reason printed, where there can be none. */
export function onBox(title: string, tests: Tests): void {
  const parts = findBoxParts();
  describeBox(title, tests, "missing" in parts ? parts.missing : undefined);
}

/** The same, of tests that are skipped where long ones are not wanted. */
export function onLongBox(title: string, tests: Tests): void {
  if (isLong) onBox(title, tests);
  else describeBox(title, tests, "SILK_TEST_LONG is not 1");
}

function describeBox(title: string, tests: Tests, missing: string | undefined): void {
  if (missing !== undefined) console.log(`${title}: skipped, ${missing}`);

  describe.skipIf(missing !== undefined)(title, { timeout }, () => {
    let box: Box | undefined;
    const theBox = (): Box => {
      if (box === undefined) throw new Error("the box has not come up");
      return box;
    };

    beforeAll(async () => {
      const parts = findBoxParts();
      if ("missing" in parts) throw new Error(parts.missing);
      box = await Box.boot(parts);
    }, timeout);
    afterAll(() => box?.[Symbol.asyncDispose]());
    afterEach(async ({ task }) => {
      if (task.result?.state === "fail" && box !== undefined) console.log(await story(box));
    }, timeout);
    tests(theBox);
  });
}
