import { createRequire } from "node:module";
import type * as Koffi from "koffi";
import { SystemError } from "./system-error.ts";

const EINTR = 4;

/** A word of a variadic call: its C type, then its value. */
type Variadic = readonly unknown[];

/** The C functions that this package calls. 64-bit results come as numbers: none that is asked for passes 2^53. */
interface Libc {
  fcntl(fd: number, command: number, ...rest: Variadic): number;
  ioctl(fd: number, request: number, ...rest: Variadic): number;
  syscall(number: number, ...rest: Variadic): number;
  lseek(fd: number, offset: number, whence: number): number;
  fallocate(fd: number, mode: number, offset: number, length: number): number;
  poll(fds: Buffer, count: number, timeoutMs: number): number;
  socket(domain: number, type: number, protocol: number): number;
  connect(fd: number, address: Buffer, length: number): number;
  setns(fd: number, type: number): number;
  posix_openpt(flags: number): number;
  grantpt(fd: number): number;
  unlockpt(fd: number): number;
  ptsname_r(fd: number, name: Buffer, length: number): number;
  tcgetattr(fd: number, termios: Buffer): number;
  cfmakeraw(termios: Buffer): void;
  tcsetattr(fd: number, actions: number, termios: Buffer): number;
}

const prototypes: Readonly<Record<keyof Libc, string>> = {
  fcntl: "int fcntl(int fd, int command, ...)",
  ioctl: "int ioctl(int fd, unsigned long request, ...)",
  syscall: "long syscall(long number, ...)",
  lseek: "int64_t lseek(int fd, int64_t offset, int whence)",
  fallocate: "int fallocate(int fd, int mode, int64_t offset, int64_t length)",
  poll: "int poll(void *fds, unsigned long count, int timeout)",
  socket: "int socket(int domain, int type, int protocol)",
  connect: "int connect(int fd, const void *address, unsigned int length)",
  setns: "int setns(int fd, int type)",
  posix_openpt: "int posix_openpt(int flags)",
  grantpt: "int grantpt(int fd)",
  unlockpt: "int unlockpt(int fd)",
  ptsname_r: "int ptsname_r(int fd, _Out_ void *name, size_t length)",
  tcgetattr: "int tcgetattr(int fd, _Out_ void *termios)",
  cfmakeraw: "void cfmakeraw(_Inout_ void *termios)",
  tcsetattr: "int tcsetattr(int fd, int actions, const void *termios)",
};

let loadedKoffi: typeof Koffi | undefined;
let loadedLibc: Libc | undefined;

/** koffi takes some 15 ms to load, so it is loaded by the first call that needs it, never by an import of this package. */
export function koffi(): typeof Koffi {
  loadedKoffi ??= createRequire(import.meta.url)("koffi") as typeof Koffi;
  return loadedKoffi;
}

/** The C library that this process already runs on, be it glibc or musl: looked up in the process itself, so its file's name does not matter. */
export function libc(): Libc {
  if (loadedLibc !== undefined) return loadedLibc;
  const library = koffi().load(null);
  const functions = Object.entries(prototypes).map(
    ([name, prototype]) => [name, library.func(prototype)] as const,
  );
  loadedLibc = Object.fromEntries(functions) as unknown as Libc;
  return loadedLibc;
}

/** The errno of the C call that was just made. */
export function lastErrno(): number {
  return koffi().errno();
}

/** The result of a C call, or its errno thrown where it is -1. A call that a signal interrupted (that of a child's end, say) is made again. */
export function checked(syscall: string, call: () => number): number {
  for (;;) {
    const result = call();
    if (result !== -1) return result;
    const errno = lastErrno();
    if (errno !== EINTR) throw new SystemError(errno, syscall);
  }
}
