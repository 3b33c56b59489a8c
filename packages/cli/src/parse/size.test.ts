import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatSize } from "../output/format-size.ts";
import { parseSize } from "./size.ts";

const unit = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4, P: 1024 ** 5 } as const;

describe("parseSize", () => {
  it.each([
    ["0", 0],
    ["1", 1],
    ["4096", 4096],
    ["4096B", 4096],
    ["1K", 1024],
    ["512M", 536_870_912],
    ["512m", 536_870_912],
    ["512MiB", 536_870_912],
    ["2G", 2_147_483_648],
    ["2GiB", 2_147_483_648],
    ["1.5G", 1_610_612_736],
    ["0.5K", 512],
    ["1T", 1_099_511_627_776],
    ["7P", 7 * 1024 ** 5],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ])("reads %s as %d bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each([
    "",
    " ",
    "M",
    "-1",
    "+1",
    "1 G",
    "1e9",
    "0x10",
    "1,5G",
    "1.G",
    ".5G",
    "1GG",
    "1Gi",
    "1Kb2",
    "NaN",
    "Infinity",
    "١",
    "1G\n",
  ])("refuses %j", (text) => {
    expect(() => parseSize(text)).toThrow(/is no size: it is no number/);
  });

  it("refuses a part of a byte", () => {
    expect(() => parseSize("1.5")).toThrow('"1.5" is no size: it is no whole number of bytes');
    expect(() => parseSize("0.3K")).toThrow("it is no whole number of bytes");
  });

  it("refuses what no number holds exactly", () => {
    expect(() => parseSize("9007199254740992")).toThrow("it is too large");
    expect(() => parseSize("8P")).toThrow("it is too large");
  });

  it("asks what MB is meant to be", () => {
    expect(() => parseSize("512MB")).toThrow("write 512M or 512MiB for the binary unit");
  });

  it("reads any number with any unit, in any case, with any ending", () => {
    const sizes = fc.tuple(
      fc.integer({ min: 0, max: 7 }),
      fc.constantFrom(...(Object.keys(unit) as (keyof typeof unit)[])),
      fc.constantFrom("", "iB", "ib", "IB"),
      fc.boolean(),
    );
    fc.assert(
      fc.property(sizes, ([number, letter, ending, lower]) => {
        const text = `${number}${lower ? letter.toLowerCase() : letter}${ending}`;
        expect(parseSize(text)).toBe(number * unit[letter]);
      }),
    );
  });

  it("reads plain bytes as they are", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(parseSize(String(bytes))).toBe(bytes);
      }),
    );
  });

  it("gives whole bytes or refuses, whatever it is given", () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[\d.]{1,20}[KMGTPkmgtpiB]{0,3}$/));
    fc.assert(
      fc.property(texts, (text) => {
        let bytes: number;
        try {
          bytes = parseSize(text);
        } catch (error) {
          expect(error).toMatchObject({ code: "USAGE", kind: "invalid" });
          return;
        }
        expect(Number.isSafeInteger(bytes) && bytes >= 0).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("formatSize", () => {
  it.each([
    [0, "0B"],
    [512, "512B"],
    [1023, "1023B"],
    [1024, "1K"],
    [1536, "1.5K"],
    [536_870_912, "512M"],
    [1_073_741_824, "1G"],
    [1_234_567_890, "1.1G"],
    [1024 ** 2 - 1, "1M"],
    [1024 ** 4, "1T"],
  ])("writes %d bytes as %s", (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it("stays within a tenth of the unit of what it was given", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        const [, number = "", letter = ""] = /^([\d.]+)([BKMGTP])$/.exec(formatSize(bytes)) ?? [];
        const scale = letter === "B" ? 1 : unit[letter as keyof typeof unit];
        expect(Math.abs(Number(number) * scale - bytes)).toBeLessThanOrEqual(scale * 0.051);
      }),
    );
  });
});
