import { chmod, link, readdir, readFile, realpath, rename, rm } from "node:fs/promises";
import type { HostFiles } from "@silkvm/core";
import { orElse } from "../errors.ts";
import { canAccess } from "./access.ts";
import { copy } from "./copy.ts";
import { createSparse } from "./create-sparse.ts";
import { makeDirectory } from "./make-directory.ts";
import { open } from "./open.ts";
import { readRange } from "./read-range.ts";
import { space } from "./space.ts";
import { sharesBlocks } from "./shares-blocks.ts";
import { fileStat } from "./stat.ts";
import { sync } from "./sync.ts";
import { writeAtomic } from "./write-atomic.ts";
import { writeInPlace } from "./write-in-place.ts";

export const files: HostFiles = {
  stat: fileStat,
  realpath: (path) => realpath(path),
  canAccess,
  list: async (path) => (await orElse<string[], string[]>(readdir(path), [], "ENOENT")).sort(),
  mkdir: makeDirectory,
  readText: (path) => readFile(path, "utf8"),
  readRange,
  writeAtomic,
  writeInPlace,
  createSparse,
  copy,
  sharesBlocks,
  link: (from, to) => link(from, to),
  rename: (from, to) => rename(from, to),
  chmod: (path, mode) => chmod(path, mode),
  remove: (path) =>
    orElse(rm(path, { recursive: true, force: true }), undefined, "ENOENT", "ENOTDIR"),
  sync,
  open,
  space,
};
