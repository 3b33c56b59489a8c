import { describe, expect, it } from "vitest";

import { JsonError } from "./json-error.ts";
import { listOf, option, parseJson, string, u32, u64 } from "./schema.ts";
import { defaulted, field, needed, struct } from "./struct.ts";

const inner = struct<{ size: number | bigint; name?: string }>("Inner", [
  field("size", u64),
  field("name", option(string)),
]);
const outer = struct<{ inner: unknown; list?: number[]; flag: number }>("Outer", [
  field("inner", inner),
  field("list", option(listOf(u32))),
  defaulted("flag", u32, () => 7),
  needed("last", option(string)),
]);

function read(text: string): unknown {
  try {
    return parseJson(outer, Buffer.from(text));
  } catch (error) {
    if (error instanceof JsonError) return error.describe();
    throw error;
  }
}

describe("reading JSON", () => {
  it("gives the fields in their order, with defaults, and leaves out what is not there", () => {
    expect(read('{"x":1,"list":[1,2],"inner":{"size":5}}')).toEqual({
      inner: { size: 5 },
      list: [1, 2],
      flag: 7,
    });
  });

  it("loses no digit of a number of 64 bits", () => {
    expect(read('{"inner":{"size":18446744073709551615}}')).toMatchObject({
      inner: { size: 18446744073709551615n },
    });
  });

  it.each([
    ["", "EOF while parsing a value at line 1 column 0"],
    ["{", "EOF while parsing an object at line 1 column 1"],
    ["nul", "EOF while parsing a value at line 1 column 3"],
    ["1", "invalid type: integer `1`, expected struct Outer at line 1 column 1"],
    ['{"inner":{}}', "missing field `size` at line 1 column 11"],
    ['{"inner":{"size":"1"}}', 'invalid type: string "1", expected u64 at line 1 column 20'],
    [
      '{"inner":{"size":1.5}}',
      "invalid type: floating point `1.5`, expected u64 at line 1 column 20",
    ],
    ['{"inner":{"size":-1}}', "invalid value: integer `-1`, expected u64 at line 1 column 19"],
    ['{"inner":{"size":1,"size":2}}', "duplicate field `size` at line 1 column 25"],
    ['{"inner":{"size":1}} x', "trailing characters at line 1 column 22"],
    ['{"inner":{"size":1},}', "trailing comma at line 1 column 21"],
    ['{"inner":\n{"size":1}\n"x":2}', "expected `,` or `}` at line 3 column 1"],
    [
      '{"list":[1,4294967296]}',
      "invalid value: integer `4294967296`, expected u32 at line 1 column 21",
    ],
    ["[[1]]", "invalid length 3, expected struct Outer with 4 elements at line 1 column 5"],
  ])("says of %j what the real program says", (text, message) => {
    expect(read(text)).toBe(message);
  });
});
