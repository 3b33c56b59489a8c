import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isOpaqueNumber, parseJson, stringifyJson } from "./json.ts";

describe("parsing JSON", () => {
  it("keeps every digit of integers that a double cannot hold", () => {
    expect(
      parseJson('{"read_latency_min":18446744073709551615,"read_latency_avg":1844674407370955}'),
    ).toEqual({
      read_latency_min: 18446744073709551615n,
      read_latency_avg: 1844674407370955,
    });
    expect(
      parseJson("[9007199254740991,9007199254740992,-9007199254740991,-9007199254740992]"),
    ).toEqual([9007199254740991, 9007199254740992n, -9007199254740991, -9007199254740992n]);
  });

  it("reads fractions and exponents as doubles", () => {
    expect(parseJson("[0.1, 1.0, 1e3, -2.5e-3, 9.007199254740993e15]")).toEqual([
      0.1, 1, 1000, -0.0025, 9007199254740992,
    ]);
  });

  it("refuses a number beyond every double instead of making it infinite", () => {
    expect(() => parseJson('{"a":1e400}')).toThrow(RangeError);
    expect(() => parseJson("[-1e999]")).toThrow(/-1e999/);
    expect(parseJson(`1${"0".repeat(400)}`)).toBe(10n ** 400n);
  });

  it("takes the last of two equal keys, digits included", () => {
    expect(parseJson('{"a":18446744073709551615,"a":18446744073709551614}')).toEqual({
      a: 18446744073709551614n,
    });
    expect(parseJson('{"a":18446744073709551615,"a":[1]}')).toEqual({ a: [1] });
  });

  it("does not let a key named __proto__ change an object's prototype", () => {
    const parsed = parseJson('{"__proto__":{"x":18446744073709551615}}') as object;
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect(stringifyJson(parsed)).toBe('{"__proto__":{"x":18446744073709551615}}');
  });

  it("throws a SyntaxError for what is not JSON", () => {
    for (const text of ["", "{", "[1,]", "01", "+1", "NaN", '{ "error": "a\nb" }', "1n"]) {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    }
  });
});

describe("writing JSON", () => {
  it("writes bigints as integers and integral doubles with their exact digits", () => {
    expect(stringifyJson({ a: 2n ** 64n - 1n, b: -(2n ** 70n), c: 2 ** 64, d: 1e20, e: 5 })).toBe(
      '{"a":18446744073709551615,"b":-1180591620717411303424,"c":18446744073709551616,"d":100000000000000000000,"e":5}',
    );
    expect(stringifyJson(1e21)).toBe("1e+21");
  });

  it("writes a negative zero as 0", () => {
    expect(stringifyJson({ a: -0 })).toBe('{"a":0}');
  });

  it("leaves out undefined fields and refuses what JSON has no form for", () => {
    expect(stringifyJson({ a: undefined, b: null })).toBe('{"b":null}');
    expect(() => stringifyJson({ desired_ram: Number.NaN })).toThrow(/NaN \(at "desired_ram"\)/);
    expect(() => stringifyJson([Infinity])).toThrow(TypeError);
    expect(() => stringifyJson(undefined)).toThrow(TypeError);
  });

  it("indents when asked to", () => {
    expect(stringifyJson({ a: [2n ** 64n] }, 2)).toBe(
      '{\n  "a": [\n    18446744073709551616\n  ]\n}',
    );
  });
});

describe("rewriting a document with exact numbers", () => {
  it("writes back each number as it was, whatever its form", () => {
    const text =
      '{"a":1.0,"b":[1e3,-0,-0.0,1E+2,1e400,0.1000000000000000055511151231257827],"c":18446744073709551615,"d":0.1,"e":7}';
    const document = parseJson(text, { exact: true }) as { a: unknown; d: unknown; e: unknown };
    expect(stringifyJson(document)).toBe(text);
    expect([
      isOpaqueNumber(document.a),
      isOpaqueNumber(document.d),
      isOpaqueNumber(document.e),
    ]).toEqual([true, false, false]);
  });

  it("changes what was changed and nothing else", () => {
    const document = parseJson('{"path":"/a","gain":1.50,"max":18446744073709551615}', {
      exact: true,
    }) as Record<string, unknown>;
    expect(stringifyJson({ ...document, path: "/b" })).toBe(
      '{"path":"/b","gain":1.50,"max":18446744073709551615}',
    );
  });
});

/** JSON values as text, with numbers in every form that the grammar allows. */
const numberText = fc.oneof(
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc
    .tuple(
      fc.boolean(),
      fc.nat(),
      fc.array(fc.nat(9), { minLength: 1 }),
      fc.integer({ min: -500, max: 500 }),
    )
    .map(
      ([minus, whole, fraction, exponent]) =>
        `${minus ? "-" : ""}${whole}.${fraction.join("")}e${exponent}`,
    ),
);
const { document: jsonText } = fc.letrec<{ document: string }>((tie) => ({
  document: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    numberText,
    fc.constantFrom("null", "true", "false", "-0", "0"),
    fc.string().map((value) => JSON.stringify(value)),
    fc.array(tie("document")).map((items) => `[${items.join(",")}]`),
    fc
      // Keys that look like array indexes move to the front of an object, in JavaScript's own order.
      .uniqueArray(
        fc.tuple(
          fc.string().map((key) => `k${key}`),
          tie("document"),
        ),
        { selector: ([key]) => key },
      )
      .map(
        (entries) =>
          `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",")}}`,
      ),
  ),
}));

describe("any JSON text", () => {
  it("comes out exactly as it went in when numbers are kept exact", () => {
    fc.assert(
      fc.property(jsonText, (text) => stringifyJson(parseJson(text, { exact: true })) === text),
      { numRuns: 2000 },
    );
  });

  it("keeps its value through another round when integers alone are kept", () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        let first: string;
        try {
          first = stringifyJson(parseJson(text));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          return;
        }
        expect(stringifyJson(parseJson(first))).toBe(first);
        expect(JSON.parse(first)).toEqual(withoutNegativeZero(JSON.parse(text)));
      }),
      { numRuns: 1000 },
    );
  });

  it("is parsed as JSON.parse does, but for integers beyond 2^53", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(narrow(parseJson(text))).toEqual(JSON.parse(text));
      }),
      { numRuns: 1000 },
    );
  });
});

function withoutNegativeZero(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function narrow(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(narrow);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => [
    key,
    narrow(inner),
  ]);
  return Object.fromEntries(entries);
}
