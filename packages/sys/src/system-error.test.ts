import { closeSync, openSync } from "node:fs";
import { expect, test } from "vitest";
import { SystemError } from "./system-error.ts";

test("an error has the fields and the words of Node's own", () => {
  let own: unknown;
  try {
    closeSync(openSync("/dev/null/x", "r"));
  } catch (error) {
    own = error;
  }
  const error = new SystemError(20, "open");
  expect(own).toMatchObject({ code: error.code, errno: error.errno, syscall: error.syscall });
  expect((own as Error).message).toContain(error.message);
  expect(String(error)).toBe("SystemError: ENOTDIR: not a directory, open");
});

test("an errno that Node has no words for keeps its name, and an unknown one its number", () => {
  expect(new SystemError(37, "fcntl").message).toBe("ENOLCK: no locks available, fcntl");
  expect(new SystemError(200, "fcntl").message).toBe("E200: unknown error, fcntl");
});
