import { closeSync, constants, fstatSync } from "node:fs";
import { open } from "node:fs/promises";
import type { HostLock, HostLocks } from "@silkvm/core";
import { lockRangeWithin } from "../lock-range-wait.ts";
import { queryLock, type RangeLock, unlockRange } from "../lock-range.ts";
import { orElse } from "./errors.ts";
import { openDescriptor } from "./open-descriptor.ts";

export const locks: HostLocks = {
  async acquire(path, offset, { waitMs, signal, shared = false }) {
    const deadlineMs = performance.now() + waitMs;
    for (;;) {
      signal?.throwIfAborted();
      const fd = await openDescriptor(path, constants.O_RDWR | constants.O_CREAT, 0o600);
      let lock: HostLock | undefined;
      try {
        const leftMs = Math.max(0, deadlineMs - performance.now());
        const isTaken = await lockRangeWithin(fd, byteLock(offset, !shared), leftMs, signal);
        if (!isTaken) return undefined;
        // A file that was removed while this one waited for it guards nothing: the next comer makes a new one.
        if (fstatSync(fd).nlink > 0) lock = heldLock(fd, offset);
      } finally {
        if (lock === undefined) closeSync(fd);
      }
      if (lock !== undefined) return lock;
    }
  },

  async isHeld(path, offset) {
    const file = await orElse(open(path, "r"), undefined, "ENOENT");
    if (file === undefined) return false;
    try {
      return queryLock(file.fd, byteLock(offset)) !== undefined;
    } finally {
      await file.close();
    }
  },
};

function byteLock(offset: number, exclusive = true): RangeLock {
  return { start: offset, length: 1, exclusive };
}

function heldLock(fd: number, offset: number): HostLock {
  let isReleased = false;
  const release = async (): Promise<void> => {
    if (isReleased) return;
    isReleased = true;
    // Said outright: the close alone would leave it to any process that shares the open file by accident of a fork.
    unlockRange(fd, byteLock(offset));
    closeSync(fd);
  };
  return { release, [Symbol.asyncDispose]: release };
}
