import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HostFiles } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkArchivePath, writeArchive } from "./write-file.ts";

const { files } = linuxHost();
const { signal } = new AbortController();
let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "silk-archive-"));
  path = join(directory, "web.tar");
});
afterEach(() => rmSync(directory, { recursive: true }));

async function* pieces(...texts: (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    if (text instanceof Error) throw text;
    yield Buffer.from(text);
  }
}

describe("an archive's file", () => {
  it("holds what came, for its owner alone, and nothing else is left", async () => {
    const size = await writeArchive(files, path, pieces("ab", "cde"), { force: false, signal });
    expect(size).toBe(5);
    expect(readFileSync(path, "utf8")).toBe("abcde");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(["web.tar"]);
  });

  it("is not under its name before all of it is there", async () => {
    async function* watched(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("ab");
      expect(readdirSync(directory)).toEqual([expect.stringMatching(/^\.web\.tar\..*\.part$/)]);
      yield Buffer.from("c");
    }
    await writeArchive(files, path, watched(), { force: false, signal });
    expect(readFileSync(path, "utf8")).toBe("abc");
  });

  it("replaces one that is there only by force", async () => {
    writeFileSync(path, "old");
    const written = writeArchive(files, path, pieces("new"), { force: false, signal });
    await expect(written).rejects.toMatchObject({ code: "FILE_EXISTS", kind: "conflict" });
    expect(readFileSync(path, "utf8")).toBe("old");
    await writeArchive(files, path, pieces("new"), { force: true, signal });
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(readdirSync(directory)).toEqual(["web.tar"]);
  });

  it("is made where the file system has no hard links", async () => {
    const plain: HostFiles = {
      ...files,
      link: async () => {
        throw Object.assign(new Error("no hard links"), { code: "EPERM" });
      },
    };
    await writeArchive(plain, path, pieces("new"), { force: false, signal });
    expect(readdirSync(directory)).toEqual(["web.tar"]);
    const again = writeArchive(plain, path, pieces("newer"), { force: false, signal });
    await expect(again).rejects.toMatchObject({ code: "FILE_EXISTS" });
    expect(readFileSync(path, "utf8")).toBe("new");
  });

  it("is not there where the stream fails, or where nobody wants it any more", async () => {
    const failed = writeArchive(files, path, pieces("ab", new Error("the disk")), {
      force: true,
      signal,
    });
    await expect(failed).rejects.toThrow("the disk");
    const aborted = writeArchive(files, path, pieces("ab"), {
      force: true,
      signal: AbortSignal.abort(),
    });
    await expect(aborted).rejects.toMatchObject({ name: "AbortError" });
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe("the place of an archive", () => {
  it("is looked at before anything is written", async () => {
    expect(await checkArchivePath(files, path, false)).toBeUndefined();
    writeFileSync(path, "old");
    await expect(checkArchivePath(files, path, false)).rejects.toMatchObject({
      code: "FILE_EXISTS",
    });
    expect(await checkArchivePath(files, path, true)).toBeUndefined();
    await expect(checkArchivePath(files, directory, true)).rejects.toMatchObject({
      code: "NOT_A_FILE",
    });
    await expect(
      checkArchivePath(files, join(directory, "none/web.tar"), true),
    ).rejects.toMatchObject({ code: "FILE_NOT_FOUND", kind: "not-found" });
  });

  it("may be a device or a FIFO, which stays what it is", async () => {
    expect(await checkArchivePath(files, "/dev/null", false)).toBe("character-device");
    execFileSync("mkfifo", [join(directory, "fifo")]);
    expect(await checkArchivePath(files, join(directory, "fifo"), false)).toBe("fifo");
  });
});
