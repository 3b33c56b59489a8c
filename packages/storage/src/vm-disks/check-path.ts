import { type FileStat, type Host, isSilkError, SilkError } from "@silkvm/core";

/** A file that somebody named, and by which flag. */
export interface NamedFile {
  readonly path: string;
  /** `--kernel`: what an error names. */
  readonly flag: string;
  readonly writable?: boolean | undefined;
}

/**
 * Checks that a file is there, is a regular file or a block device, and can be used.
 * @throws SilkError `FILE_NOT_FOUND`, `INVALID_FILE`, `PERMISSION_DENIED`
 */
export async function checkPath(
  host: Host,
  { path, flag, writable = false }: NamedFile,
): Promise<FileStat> {
  const details = { flag, path };
  const stat = await host.files.stat(path).catch((error: unknown) => {
    throw asDenied(error, flag, path);
  });
  if (stat === undefined)
    throw new SilkError(`${flag}: there is no file ${path}`, {
      code: "FILE_NOT_FOUND",
      kind: "not-found",
      hint: `Check the path that ${flag} names.`,
      details,
    });
  if (stat.kind !== "file" && stat.kind !== "block-device")
    throw new SilkError(`${flag}: ${path} is a ${stat.kind}, and not a file`, {
      code: "INVALID_FILE",
      kind: "invalid",
      hint: `Name a regular file or a block device with ${flag}.`,
      details,
    });
  for (const how of writable ? (["read", "write"] as const) : (["read"] as const)) {
    if (!(await host.files.canAccess(path, how))) throw denied(flag, path, how);
  }
  return stat;
}

function denied(flag: string, path: string, how: "read" | "write", cause?: unknown): SilkError {
  const readonly = how === "write" ? ", or attach the disk read-only" : "";
  return new SilkError(`${flag}: no permission to ${how} ${path}`, {
    code: "PERMISSION_DENIED",
    kind: "denied",
    hint: `Give this user the permission to ${how} it${readonly}.`,
    details: { flag, path, how },
    cause,
  });
}

function asDenied(error: unknown, flag: string, path: string): unknown {
  if (isSilkError(error)) return error;
  const { code } = error as { code?: unknown };
  return code === "EACCES" || code === "EPERM" ? denied(flag, path, "read", error) : error;
}
