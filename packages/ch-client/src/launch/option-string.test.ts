import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { list, on, onOff, optionString, pairs, positive, text } from "./option-string.ts";

/** The value of a key as the VMM's parser understands an argument: written from its rules, to check the writer against. */
function readBack(argument: string, key: string): string | undefined {
  const options: string[] = [""];
  let quotes = false;
  let brackets = 0;
  for (const character of argument.trim()) {
    if (character === '"') quotes = !quotes;
    else if (!quotes && character === "[") brackets++;
    else if (!quotes && character === "]") brackets--;
    if (character === "," && !quotes && brackets === 0) options.push("");
    else options[options.length - 1] += character;
    if (brackets < 0) throw new Error("unbalanced");
  }
  if (quotes || brackets !== 0) throw new Error("unbalanced");
  const value = options
    .find((option) => option.startsWith(`${key}=`))
    ?.slice(key.length + 1)
    .trim();
  if (value === undefined || value === "") return undefined;
  return value.replaceAll(/"((?:[^"]|"")*)"/g, (_, inner: string) => inner.replaceAll('""', '"'));
}

describe("an argument of the VMM", () => {
  it("is made of key=value, with commas between, and leaves out what does not apply", () => {
    expect(
      optionString([
        text("a", "x"),
        undefined,
        on("b", true),
        on("c", false),
        onOff("d", false),
        onOff("e", undefined),
        positive("f", 0),
      ]),
    ).toBe("a=x,b=on,d=off");
    expect(
      optionString([
        list("a", [1, 2n ** 64n - 1n]),
        list("b", []),
        pairs("c", [
          [0, [0, 3]],
          [1, 20],
        ]),
      ]),
    ).toBe("a=[1,18446744073709551615],c=[0@[0,3],1@20]");
  });

  it("has quotes only around what the parser would take apart", () => {
    expect(text("path", "/var/lib/x y/ä=b.raw")).toBe("path=/var/lib/x y/ä=b.raw");
    expect(text("path", "/a,b")).toBe('path="/a,b"');
    expect(text("path", "/a[0")).toBe('path="/a[0"');
    expect(text("path", '/a"b')).toBe('path="/a""b"');
    expect(text("path", " /a")).toBe('path=" /a"');
    expect(text("path", "")).toBe('path=""');
  });

  it("is read back by the parser's rules as it was meant", () => {
    const value = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(",", '"', "[", "]", "=", " ", "a", "@") }),
    );
    fc.assert(
      fc.property(value, value, (first, second) => {
        const argument = optionString([
          text("first", first),
          on("x", true),
          text("second", second),
        ]);
        expect(readBack(argument, "first")).toBe(first);
        expect(readBack(argument, "second")).toBe(second);
        expect(readBack(argument, "x")).toBe("on");
      }),
      { numRuns: 2000 },
    );
  });
});
