import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import type { HostFiles } from "@silkvm/core";
import { CliError, usageError } from "../cli-error.ts";

/** Large enough that a disk is read at its full speed. Each is a buffer of its own: larger ones pile up until somebody clears them away. */
const chunkBytes = 128 * 1024;

/**
 * The archive that a command line names: a file, or stdin where it names `-` or nothing.
 * @throws CliError `USAGE` where stdin is a terminal, `FILE_NOT_FOUND`, `NOT_A_FILE`
 */
export async function openArchive(
  files: HostFiles,
  path: string | undefined,
  stdin: NodeJS.ReadStream,
): Promise<Readable> {
  if (path === undefined || path === "-") {
    if (stdin.isTTY)
      throw usageError(
        path === undefined ? "the archive is missing" : "stdin is a terminal, and no archive",
        "Name the file, or let stdin be one: silk snapshot import <web.tar",
      );
    return stdin;
  }
  const stat = await files.stat(path);
  if (stat === undefined)
    throw new CliError(`there is no file ${path}`, { code: "FILE_NOT_FOUND", kind: "not-found" });
  if (stat.kind === "directory")
    throw new CliError(`${path} is a directory, and no archive`, {
      code: "NOT_A_FILE",
      kind: "invalid",
      hint: "A directory that `silk snapshot export --to-dir` made is used as it is: silk vm clone --from-dir DIR",
    });
  return createReadStream(path, { highWaterMark: chunkBytes });
}
