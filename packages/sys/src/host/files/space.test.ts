import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import { space } from "./space.ts";

test("room is what df says, also for a path that is not there yet", async () => {
  using directory = temporaryDirectory("/dev/shm");
  const { freeBytes, totalBytes, type } = await space(directory.join("not/there/yet"));
  const df = execFileSync("df", ["-B1", "--output=size,avail", directory.path], {
    encoding: "utf8",
  });
  const [size = 0, available = 0] = (df.match(/\b\d+\b/g) ?? []).map(Number);
  expect(totalBytes).toBe(size);
  expect(Math.abs(freeBytes - available)).toBeLessThan(2 ** 26);
  expect(type).toBe("tmpfs");
});

test("a file system without a known name is told by its number", async () => {
  expect((await space("/proc/self")).type).toBe("0x9fa0");
});
