import { checked, libc } from "./libc.ts";

/** By number, because older C libraries have no function of this name. */
const SYS_renameat2: Readonly<Record<string, number>> = { x64: 316, arm64: 276 };
const AT_FDCWD = -100;
const RENAME_NOREPLACE = 1;

/**
 * Renames a file or a directory in one step, unless something has the new name already.
 * @throws SystemError EEXIST where it has; EINVAL where the file system cannot do it (most network file systems)
 */
export function renameNoReplace(from: string, to: string): void {
  const number = SYS_renameat2[process.arch];
  if (number === undefined) throw new Error(`renameNoReplace is not known on ${process.arch}`);
  if (`${from}${to}`.includes("\0")) throw new TypeError("A path cannot hold a null byte");
  checked("renameat2", () =>
    libc().syscall(
      number,
      "long",
      AT_FDCWD,
      "str",
      from,
      "long",
      AT_FDCWD,
      "str",
      to,
      "long",
      RENAME_NOREPLACE,
    ),
  );
}
