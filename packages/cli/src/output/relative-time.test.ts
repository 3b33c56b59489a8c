import { expect, it } from "vitest";
import { formatAgo, formatSpan } from "./relative-time.ts";

const second = 1000;
const day = 86_400 * second;

it.each([
  [0, "less than a second"],
  [999, "less than a second"],
  [second, "1 second"],
  [59 * second, "59 seconds"],
  [60 * second, "1 minute"],
  [3 * 3600 * second, "3 hours"],
  [day, "1 day"],
  [13 * day, "1 week"],
  [45 * day, "1 month"],
  [800 * day, "2 years"],
])("%d ms are %s", (span, text) => {
  expect(formatSpan(span)).toBe(text);
});

it("counts from now", () => {
  const now = Date.parse("2026-01-01T00:03:00.000Z");
  expect(formatAgo("2026-01-01T00:00:00.000Z", now)).toBe("3 minutes ago");
  expect(formatAgo("2026-01-01T00:02:59.500Z", now)).toBe("just now");
});

it("is not confused by a clock that was set back", () => {
  expect(formatAgo("2026-01-02T00:00:00.000Z", Date.parse("2026-01-01T00:00:00.000Z"))).toBe(
    "just now",
  );
});
