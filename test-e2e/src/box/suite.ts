import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { Box } from "./box.ts";
import { findBoxParts } from "./needs.ts";
import { story } from "./traces.ts";

/** A command takes seconds in the box and a boot of a guest ten, and more on a machine that is busy with other tests. */
const timeout = 300_000;

/** Tests on one box that is theirs; skipped, with the reason printed, where there can be none. */
export function onBox(title: string, tests: (box: () => Box) => void): void {
  const parts = findBoxParts();
  const missing = "missing" in parts ? parts.missing : undefined;
  if (missing !== undefined) console.log(`no host in a box here: ${missing}`);

  describe.skipIf(missing !== undefined)(title, { timeout }, () => {
    let box: Box | undefined;
    const theBox = (): Box => {
      if (box === undefined) throw new Error("the box has not come up");
      return box;
    };

    beforeAll(async () => {
      if (!("missing" in parts)) box = await Box.boot(parts);
    }, timeout);
    afterAll(() => box?.[Symbol.asyncDispose]());
    afterEach(async ({ task }) => {
      if (task.result?.state === "fail" && box !== undefined) console.log(await story(box));
    }, timeout);
    tests(theBox);
  });
}
