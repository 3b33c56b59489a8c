import { expect, it } from "vitest";
import { renderTransfer, renderTransferred } from "./transfer.ts";

const mib = 1024 ** 2;

it("tells how far it is, how fast, and how long it will yet take", () => {
  expect(renderTransfer({ doneBytes: 256 * mib, totalBytes: 1024 * mib }, 1000)).toBe(
    "256M of 1G, 25%, 256M/s, 3 s left",
  );
});

it("tells no percent where nobody knows how much there is", () => {
  expect(renderTransfer({ doneBytes: 3 * mib }, 2000)).toBe("3M, 1.5M/s");
});

it("tells nothing wrong at the beginning, at the end, and beyond what was expected", () => {
  expect(renderTransfer({ doneBytes: 0, totalBytes: mib }, 0)).toBe("0B of 1M, 0%");
  expect(renderTransfer({ doneBytes: 0, totalBytes: 0 }, 5)).toBe("0B of 0B, 100%");
  expect(renderTransfer({ doneBytes: mib, totalBytes: mib }, 1000)).toBe("1M of 1M, 100%, 1M/s");
  expect(renderTransfer({ doneBytes: 2 * mib, totalBytes: mib }, 1000)).toBe(
    "2M of 1M, 100%, 2M/s",
  );
});

it("tells what it came to", () => {
  expect(renderTransferred(1024 * mib, 4000)).toBe("1G of data in 4 s, 256M/s");
  expect(renderTransferred(0, 0)).toBe("0B of data in 0 ms");
});
