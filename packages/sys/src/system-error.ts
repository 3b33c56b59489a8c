import { constants } from "node:os";

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

/** Names that the kernel uses for locks and that Node's table lacks. */
const missingFromNode: Readonly<Record<number, readonly [code: string, words: string]>> = {
  [constants.errno.EDEADLK]: ["EDEADLK", "resource deadlock avoided"],
  [constants.errno.ENOLCK]: ["ENOLCK", "no locks available"],
};

/** Node's util module is loaded when there is an error to name: loading it is a good part of a short command's time. */
function nameErrno(errno: number): readonly [code: string, words: string] {
  const known = process.getBuiltinModule("node:util").getSystemErrorMap().get(-errno);
  return known ?? missingFromNode[errno] ?? [`E${errno}`, "unknown error"];
}
