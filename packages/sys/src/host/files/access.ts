import { access, constants } from "node:fs/promises";

const modes = { read: constants.R_OK, write: constants.W_OK, execute: constants.X_OK };
const refusals: ReadonlySet<string | undefined> = new Set([
  "EACCES",
  "ELOOP",
  "ENOENT",
  "ENOTDIR",
  "EPERM",
  "EROFS",
  "ETXTBSY",
]);

/** Whether this process may use the file so. What is not there may not be used; a failing disk is thrown. */
export async function canAccess(path: string, how: keyof typeof modes): Promise<boolean> {
  try {
    await access(path, modes[how]);
    return true;
  } catch (error) {
    if (refusals.has((error as NodeJS.ErrnoException).code)) return false;
    throw error;
  }
}
