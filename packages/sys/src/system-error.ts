import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";

/** A system call that failed: the same fields and the same words as an error of Node's own `fs`. */
export class SystemError extends Error {
  /** The errno's name: `EAGAIN`. */
  readonly code: string;
  /** The errno, negative as in Node's own errors. */
  readonly errno: number;
  /** The system call that failed: `fcntl`. */
  readonly syscall: string;

  /** @param errno the positive number that the C library left behind */
  constructor(errno: number, syscall: string) {
    const [code, words] = nameErrno(errno);
    super(`${code}: ${words}, ${syscall}`);
    this.code = code;
    this.errno = -errno;
    this.syscall = syscall;
  }
}
Object.defineProperty(SystemError.prototype, "name", { value: "SystemError" });

/** Node's table lacks a few names that the kernel uses for locks (`EDEADLK`, `ENOLCK`), which `os.constants` has. */
function nameErrno(errno: number): readonly [code: string, words: string] {
  const known = getSystemErrorMap().get(-errno);
  if (known !== undefined) return known;
  const name = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0];
  return [name ?? `E${errno}`, "system call failed"];
}
