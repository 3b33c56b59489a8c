import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { looksLikeFile, refuseFileName } from "./file-name.ts";

describe("a name where an image is to be named", () => {
  it.each([
    "nosuch.qcow2",
    "Disk.RAW",
    "sub/debian 12.img.xz",
    "foo.tar",
    "./web",
    "../web:1",
    "/srv/web",
    "~/web",
    ".",
  ])("%s means a file", async (name) => {
    expect(looksLikeFile(name)).toBe(true);
    await expect(refuseFileName(linuxHost(), name)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:FILE_NOT_FOUND|IMAGE_NOT_IMPORTED)$/),
    });
  });

  it.each([
    "debian:12",
    "node.js",
    "foo.tar:latest",
    "localhost/foo.tar",
    "localhost:5000/foo.tar",
    "ghcr.io/acme/disk.raw",
    `foo.tar@sha256:${"a".repeat(64)}`,
  ])("%s means an image", async (name) => {
    expect(looksLikeFile(name)).toBe(false);
    await refuseFileName(linuxHost(), name);
  });

  it("is told to be missing as a file, and how to ask a registry for it all the same", async () => {
    await expect(refuseFileName(linuxHost(), "nosuch.qcow2")).rejects.toMatchObject({
      message: "there is no file nosuch.qcow2",
      kind: "not-found",
      hint: expect.stringContaining("nosuch.qcow2:latest"),
    });
  });

  it("is told to be a file that has to be imported, even where its directory could be a registry", async () => {
    const dir = await mkdtemp(join(tmpdir(), "silk-file-name-"));
    try {
      const file = join(dir, "disk.raw");
      await writeFile(file, "");
      for (const name of [file, dir])
        await expect(refuseFileName(linuxHost(), name)).rejects.toMatchObject({
          code: "IMAGE_NOT_IMPORTED",
          hint: expect.stringContaining(`silk image import ${name} --name`),
        });
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
