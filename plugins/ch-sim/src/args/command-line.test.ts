import { expect, it } from "vitest";

import { HelpRequest, parseCommandLine, UsageError } from "./command-line.ts";

it("takes the arguments apart", () => {
  const line = parseCommandLine([
    "--kernel=k",
    "--disk",
    "path=a",
    "path=b",
    "--disk",
    "path=c",
    "-vv",
  ]);
  expect(line.one("kernel")).toBe("k");
  expect(line.many("disk")).toEqual(["path=a", "path=b", "path=c"]);
  expect(line.count("v")).toBe(2);
  expect(line.one("memory")).toBe("size=512M");
  expect(line.many("net")).toBeUndefined();
});

it.each([
  [["--bogus"], "unexpected argument '--bogus' found"],
  [["--kernel"], "a value is required for '--kernel <kernel>' but none was supplied"],
  [
    ["--kernel", "a", "--kernel", "b"],
    "the argument '--kernel <kernel>' cannot be used multiple times",
  ],
  [["--disk", "path=a"], "the following required arguments were not provided"],
  [["--kern", "x"], "a similar argument exists: '--kernel'"],
])("refuses %j", (argv, message) => {
  expect(() => parseCommandLine(argv)).toThrow(UsageError);
  expect(() => parseCommandLine(argv)).toThrow(message);
});

it("shows its help where it is asked for, and where it is asked for nothing", () => {
  expect(() => parseCommandLine(["--help"])).toThrow(HelpRequest);
  expect(() => parseCommandLine([])).toThrow(HelpRequest);
});
