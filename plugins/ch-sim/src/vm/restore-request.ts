import type * as types from "../config/types.ts";
import { validationErrors } from "../config/validation-errors.ts";
import type { U64 } from "../json/content.ts";

/** Whether a request to restore fits the config that is restored. Throws a VmmError. */
export function checkRestore(request: types.RestoreConfig, config: types.VmConfig): void {
  if (request.memory_restore_mode === "OnDemand" && request.prefault)
    throw validationErrors.prefaultOnDemand();
  const given = new Map<string, U64>();
  for (const { id, num_fds: count } of request.net_fds ?? []) {
    if (given.has(id)) throw validationErrors.idNotUnique(id);
    given.set(id, count);
  }
  for (const net of config.net ?? []) {
    if (net.fds === undefined || net.id === undefined) continue;
    const count = given.get(net.id);
    if (count === undefined) throw validationErrors.restoreNetId(net.id);
    if (BigInt(count) !== BigInt(net.fds.length))
      throw validationErrors.restoreNetFds(net.id, count, net.fds.length);
  }
}
