import { expect, test } from "vitest";
import { sumIn } from "./sums.ts";

const a = "a".repeat(64);
const b = "b".repeat(128);

test("a file's checksum is found in what publishers write", () => {
  expect(sumIn(`${a} *disk.img\n`, "disk.img", false)).toBe(`sha256:${a}`);
  expect(sumIn(`${a}  ./disk.img\n`, "disk.img", false)).toBe(`sha256:${a}`);
  expect(sumIn(`${b}  sub/disk.img\r\n`, "disk.img", false)).toBe(`sha512:${b}`);
  expect(sumIn(`SHA256 (disk.img) = ${a}\n`, "disk.img", false)).toBe(`sha256:${a}`);
  expect(sumIn(`${a.toUpperCase()}\n`, "disk.img", true)).toBe(`sha256:${a}`);
  expect(sumIn(`${a}  other.img\n`, "disk.img", false)).toBeUndefined();
  expect(sumIn(`${a}  other.img\n`, "disk.img", true)).toBeUndefined();
  expect(sumIn(`${a}\n`, "disk.img", false)).toBeUndefined();
  expect(sumIn("<html>404</html>", "disk.img", true)).toBeUndefined();
});
