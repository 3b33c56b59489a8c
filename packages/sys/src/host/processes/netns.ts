import { closeSync, openSync } from "node:fs";
import { checked, libc } from "../../libc.ts";

const CLONE_NEWNET = 0x40000000;

/**
 * Runs a function while this thread is in another network namespace; the processes that it forks stay there.
 * It must not be async: all else that this thread does belongs into its own namespace.
 * @throws SystemError EPERM without the right to do it (CAP_SYS_ADMIN); EINVAL where the path is no network namespace
 */
export function inNetworkNamespace<T>(path: string, run: () => T): T {
  const own = openSync("/proc/thread-self/ns/net", "r");
  try {
    enter(path);
    try {
      return run();
    } finally {
      // With no way back, whatever came next would be done to the wrong network.
      if (libc().setns(own, CLONE_NEWNET) !== 0) process.abort();
    }
  } finally {
    closeSync(own);
  }
}

function enter(path: string): void {
  const namespace = openSync(path, "r");
  try {
    checked("setns", () => libc().setns(namespace, CLONE_NEWNET));
  } finally {
    closeSync(namespace);
  }
}
