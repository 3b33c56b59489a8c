import type { Host } from "../host.ts";

/** A host whose locks end with a scope, as they would with a process: one that was taken by a call which timed out is known to nobody. */
export function releasing(host: Host, scope: AsyncDisposableStack): Host {
  const { locks, ...rest } = host;
  return {
    ...rest,
    locks: {
      isHeld: (path, offset) => locks.isHeld(path, offset),
      acquire: async (path, offset, options) => {
        const lock = await locks.acquire(path, offset, options);
        return lock === undefined ? undefined : scope.use(lock);
      },
    },
  };
}
