import { open } from "node:fs";
import { promisify } from "node:util";

/** Opens a file as a bare descriptor, which the caller closes. (A FileHandle would close it when it is collected.) */
export const openDescriptor: (path: string, flags: number, mode?: number) => Promise<number> =
  promisify(
    (
      path: string,
      flags: number,
      mode: number | undefined,
      done: (error: Error | null, fd: number) => void,
    ) => open(path, flags, mode, done),
  );
