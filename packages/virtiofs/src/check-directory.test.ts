import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { linuxHost } from "@silkvm/sys";
import { expect, it } from "vitest";
import { scene } from "../test/scene.ts";
import { checkDirectory } from "./check-directory.ts";

it("a directory is told by what every symlink in its path leads to", async () => {
  await using here = await scene();
  mkdirSync(join(here.dir, "real"));
  symlinkSync("real", join(here.dir, "link"));
  expect(await checkDirectory(join(here.dir, "link"), here.context())).toBe(join(here.dir, "real"));
});

it("a directory can be shared before any VM has been started since the host was", async () => {
  await using here = await scene();
  const { paths } = here.context();
  rmSync(dirname(paths.runDir), { recursive: true });
  mkdirSync(join(here.dir, "data"));
  expect(await checkDirectory(join(here.dir, "data"), here.context())).toBe(join(here.dir, "data"));
});

it("what is missing, no directory, or silk's own is refused", async () => {
  await using here = await scene();
  const { rootDir, paths } = here.context();
  const check = (path: string) => checkDirectory(path, here.context());
  await expect(check(join(here.dir, "none"))).rejects.toMatchObject({
    code: "DIRECTORY_NOT_FOUND",
    kind: "not-found",
  });
  writeFileSync(join(here.dir, "file"), "");
  await expect(check(join(here.dir, "file"))).rejects.toMatchObject({
    code: "INVALID_DIRECTORY",
    message: expect.stringContaining("is a file, and not a directory") as string,
  });
  for (const own of [rootDir, paths.runDir, join(here.dir, "log/s")])
    await expect(check(own)).rejects.toMatchObject({
      code: "INVALID_DIRECTORY",
      message: expect.stringContaining("one of silk's own") as string,
    });
});

it("one that this user may not read, or not enter, is refused", async () => {
  await using here = await scene();
  const path = join(here.dir, "closed");
  mkdirSync(path);
  chmodSync(path, 0o000);
  const host = linuxHost();
  // Root may read everything: the answer is the one that everybody else gets.
  const files = { ...host.files, canAccess: async () => false };
  for (const name of ["stat", "realpath"] as const)
    Object.assign(files, { [name]: host.files[name].bind(host.files) });
  await expect(
    checkDirectory(path, here.context({ host: { ...host, files } })),
  ).rejects.toMatchObject({ code: "PERMISSION_DENIED", kind: "denied" });
});
