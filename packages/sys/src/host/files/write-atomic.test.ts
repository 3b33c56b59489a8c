import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { startScript } from "../../../test/script.ts";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import { writeAtomic } from "./write-atomic.ts";

test("the file has the new content and mode, and nothing is left beside it", async () => {
  using directory = temporaryDirectory();
  const path = directory.join("file");
  writeFileSync(path, "old", { mode: 0o644 });
  await writeAtomic(path, "new", { mode: 0o600 });
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await writeAtomic(path, Buffer.from([0, 255]), { mode: 0o600 });
  expect(readFileSync(path)).toEqual(Buffer.from([0, 255]));
  expect(readdirSync(directory.path)).toEqual(["file"]);
});

test("a write that fails leaves the old file and nothing beside it", async () => {
  using directory = temporaryDirectory();
  mkdirSync(directory.join("taken/below"), { recursive: true });
  await expect(writeAtomic(directory.join("taken"), "new", { mode: 0o600 })).rejects.toMatchObject({
    code: "EISDIR",
  });
  expect(readdirSync(directory.path)).toEqual(["taken"]);
  await expect(
    writeAtomic(directory.join("missing/file"), "new", { mode: 0o600 }),
  ).rejects.toMatchObject({
    code: "ENOENT",
  });
});

test("a reader never sees a half, while a writer is at it and after it is killed", async () => {
  using directory = temporaryDirectory();
  const path = directory.join("file");
  const length = 300_000;
  await writeAtomic(path, "0".repeat(length), { mode: 0o600 });
  await using writer = startScript(
    `const { files } = sys.linuxHost();
     console.log("ready");
     for (let digit = 1; ; digit = (digit + 1) % 10) await files.writeAtomic(args[0], String(digit).repeat(${length}), { mode: 0o600 });`,
    path,
  );
  await writer.line();
  const seen = new Set<string>();
  for (const endMs = performance.now() + 300; performance.now() < endMs || seen.size < 3;) {
    const content = readFileSync(path, "utf8");
    expect(content).toHaveLength(length);
    expect(content).toBe(content.charAt(0).repeat(length));
    seen.add(content.charAt(0));
  }
  await writer.kill();
  expect(readFileSync(path, "utf8")).toMatch(/^(\d)\1{299999}$/);
});
