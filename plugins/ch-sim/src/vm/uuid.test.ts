import { expect, it } from "vitest";

import { uuidFault } from "./uuid.ts";

it.each([
  ["deadbeef-0000-1111-2222-333344445555", undefined],
  ["{deadbeef-0000-1111-2222-333344445555}", undefined],
  ["urn:uuid:deadbeef-0000-1111-2222-333344445555", undefined],
  ["deadbeef000011112222333344445555", undefined],
  ["x", "invalid character: found `x` at 0"],
  ["deadbeef", "invalid length: found 8"],
  ["deadbeef-0000-1111-2222", "invalid group count: expected 5, found 4"],
  ["deadbeef-000-1111-2222-333344445555", "invalid group length in group 1: expected 4, found 3"],
])("says of the UUID %j: %s", (text, message) => {
  expect(uuidFault(text)?.message).toBe(message);
});
