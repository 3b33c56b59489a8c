import { SilkError } from "@silkvm/core";
import { expect, it } from "vitest";
import { renderCloneFailures } from "./clone-many.ts";
import { toFailure } from "./failure/failure.ts";

const failure = (message: string) =>
  toFailure(new SilkError(message, { code: "X", kind: "failed", hint: "Try again." }));

it("tells which clones failed and why, what several share once", () => {
  const shared = failure("the disk is full");
  const text = renderCloneFailures(
    [
      { name: "web-1", failure: shared },
      { name: "web-2", failure: failure("there is a VM web-2") },
      { name: "web-3", failure: shared },
      { name: undefined, failure: shared },
    ],
    false,
  );
  expect(text).toBe(
    [
      "Error: web-1, web-3, clone 4: the disk is full",
      "Hint: Try again.",
      "Error: web-2: there is a VM web-2",
      "Hint: Try again.",
      "",
    ].join("\n"),
  );
});
