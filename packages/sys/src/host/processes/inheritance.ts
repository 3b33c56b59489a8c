import { readdirSync } from "node:fs";
import { libc } from "../../libc.ts";

const F_GETFD = 1;
const F_SETFD = 2;
const FD_CLOEXEC = 1;

/**
 * Runs a function while no descriptor but stdin, stdout and stderr passes on to new programs. Node's own never do, but those
 * that this process was started with may: a process that outlives us would hold its grandparent's pipe open, or keep a
 * script's lock, for as long as it runs.
 */
export function withoutInheritance<T>(run: () => T): T {
  const c = libc();
  const inherited = readdirSync("/proc/self/fd")
    .map(Number)
    // The descriptor of the directory itself is closed by now: -1.
    .filter((fd) => fd > 2 && c.fcntl(fd, F_GETFD) === 0);
  for (const fd of inherited) c.fcntl(fd, F_SETFD, "int", FD_CLOEXEC);
  try {
    return run();
  } finally {
    for (const fd of inherited) c.fcntl(fd, F_SETFD, "int", 0);
  }
}
