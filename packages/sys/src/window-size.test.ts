import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { expect, test } from "vitest";
import { openPty } from "./pty.ts";
import { getWindowSize, setWindowSize } from "./window-size.ts";

test("a window size that one side sets is what the other side sees", () => {
  const pty = openPty();
  const slave = openSync(pty.path, "r+");
  expect(getWindowSize(slave)).toEqual({ rows: 0, columns: 0 });
  setWindowSize(pty.fd, { rows: 48, columns: 65_535 });
  expect(getWindowSize(slave)).toEqual({ rows: 48, columns: 65_535 });
  closeSync(slave);
  closeSync(pty.fd);
});

test("a program on the terminal reads the size that was set", async () => {
  const pty = openPty();
  const slave = openSync(pty.path, "r+");
  setWindowSize(pty.fd, { rows: 33, columns: 101 });
  const child = spawn("stty", ["size"], { stdio: [slave, "pipe", "inherit"] });
  const [output] = (await once(child.stdout as NonNullable<typeof child.stdout>, "data")) as [
    Buffer,
  ];
  expect(output.toString()).toBe("33 101\n");
  closeSync(slave);
  closeSync(pty.fd);
});

test("a file has no window size", () => {
  const fd = openSync("/dev/null", "r");
  expect(() => getWindowSize(fd)).toThrow(expect.objectContaining({ code: "ENOTTY" }));
  expect(() => setWindowSize(fd, { rows: 1, columns: 1 })).toThrow(
    expect.objectContaining({ code: "ENOTTY" }),
  );
  closeSync(fd);
});

test("a size beyond 16 bits is refused", () => {
  expect(() => setWindowSize(0, { rows: 65_536, columns: 1 })).toThrow(RangeError);
});
