import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../test/temporary-directory.ts";
import { renameNoReplace } from "./rename-no-replace.ts";

test("a free name is taken, by a file with an unusual name and by a directory", () => {
  using directory = temporaryDirectory();
  const from = directory.join("ä b\n漢");
  writeFileSync(from, "1");
  renameNoReplace(from, directory.join("new"));
  expect(readFileSync(directory.join("new"), "utf8")).toBe("1");
  expect(existsSync(from)).toBe(false);
  mkdirSync(directory.join("old"));
  renameNoReplace(directory.join("old"), directory.join("moved"));
  expect(existsSync(directory.join("moved"))).toBe(true);
});

test("a name that is taken is EEXIST, and both files stay as they were", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("a"), "1");
  writeFileSync(directory.join("b"), "2");
  expect(() => renameNoReplace(directory.join("a"), directory.join("b"))).toThrow(
    expect.objectContaining({ code: "EEXIST", syscall: "renameat2" }),
  );
  expect(readFileSync(directory.join("a"), "utf8")).toBe("1");
  expect(readFileSync(directory.join("b"), "utf8")).toBe("2");
});

test("a path with a null byte is refused instead of being cut there", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("a"), "1");
  expect(() => renameNoReplace(directory.join("a"), directory.join("b\0c"))).toThrow(TypeError);
  expect(existsSync(directory.join("b"))).toBe(false);
});
