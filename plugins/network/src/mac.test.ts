import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { randomMac } from "./mac.ts";

test("a MAC is unicast, and of no manufacturer", () => {
  for (let count = 0; count < 200; count++) {
    const mac = randomMac({ bytes: (length) => randomBytes(length) }, new Set());
    expect(mac).toMatch(/^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/);
  }
});

test("a MAC that is taken is not given again", () => {
  const draws = [
    [0xff, 1, 2, 3, 4, 5],
    [0xfe, 1, 2, 3, 4, 5],
    [0, 1, 2, 3, 4, 6],
  ];
  const random = { bytes: () => Uint8Array.from(draws.shift() ?? []) };
  expect(randomMac(random, new Set(["fe:01:02:03:04:05"]))).toBe("02:01:02:03:04:06");
});
