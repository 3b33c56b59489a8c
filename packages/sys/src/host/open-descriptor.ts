import { open } from "node:fs";

/** Opens a file as a bare descriptor, which the caller closes. (A FileHandle would close it when it is collected.) */
export function openDescriptor(path: string, flags: number, mode?: number): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, flags, mode, (error, fd) => (error === null ? resolve(fd) : reject(error)));
  });
}
