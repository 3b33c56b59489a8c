import { expect, it } from "vitest";
import { printable, printableLine } from "./printable.ts";

it("lets no sequence through that would drive a terminal", () => {
  expect(printable("a\u001b]0;title\u0007b\u009b2Jc\r")).toBe(
    "a\ufffd]0;title\ufffdb\ufffd2Jc\ufffd",
  );
});

it("keeps lines and tabs, and makes one line where one is wanted", () => {
  expect(printable("a\r\n\tb")).toBe("a\n\tb");
  expect(printableLine("a\n\tb")).toBe("a  b");
});
