import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { linuxHost } from "@silkvm/sys";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openArchive } from "./open-archive.ts";

const { files } = linuxHost();
const stdin = { isTTY: false } as NodeJS.ReadStream;
const terminal = { isTTY: true } as NodeJS.ReadStream;
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "silk-archive-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

it("is the file that is named", async () => {
  const path = join(directory, "web.tar");
  writeFileSync(path, "archive");
  expect(await text(await openArchive(files, path, terminal))).toBe("archive");
});

it("is stdin where nothing or a dash is named, but no terminal", async () => {
  expect(await openArchive(files, undefined, stdin)).toBe(stdin);
  expect(await openArchive(files, "-", stdin)).toBe(stdin);
  await expect(openArchive(files, undefined, terminal)).rejects.toThrow("the archive is missing");
  await expect(openArchive(files, "-", terminal)).rejects.toThrow(
    "stdin is a terminal, and no archive",
  );
});

it("is refused where there is none", async () => {
  await expect(openArchive(files, join(directory, "none"), stdin)).rejects.toMatchObject({
    code: "FILE_NOT_FOUND",
    kind: "not-found",
  });
  await expect(openArchive(files, directory, stdin)).rejects.toMatchObject({
    code: "NOT_A_FILE",
    hint: expect.stringContaining("--from-dir"),
  });
});
