import { ChApiError, type ChClient } from "@silkvm/ch-client";
import type { ProcessIdentity, VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";
import { settleDevices } from "./settle-devices.ts";

/** The VMM waits a second for its vCPUs each time. */
const pauseTries = 10;
/** A VMM that was asked for nothing else answers at once, unless its host is very busy, or it hangs. */
const resumeMs = 30_000;

/**
 * Pauses the guest. On a busy host the VMM may give up before all vCPUs have stopped, and leaves the others standing while it calls the
 * guest running: only a pause that succeeds makes it possible to resume them.
 */
export async function pause(
  machine: Machine,
  vm: VmRecord,
  vmm: ProcessIdentity,
  client: ChClient,
): Promise<void> {
  await settleDevices(machine.host, vmm);
  for (let left = pauseTries; ; left--) {
    try {
      await client.vm.pause();
      return;
    } catch (error) {
      if (left <= 1 || !ChApiError.is(error)) throw error;
      machine.logger.debug(`${vm.name} did not pause: ${error.message}`);
    }
  }
}

/** Lets the guest run on; tried twice, since it would stand still for good otherwise. */
export async function resume(machine: Machine, vm: VmRecord, client: ChClient): Promise<void> {
  const options = { timeoutMs: resumeMs };
  try {
    await client.vm.resume(options);
  } catch (first) {
    machine.logger.debug(`${vm.name} did not resume: ${(first as Error).message}`);
    const { state } = await client.vm.info(options);
    if (state === "Paused") await client.vm.resume(options);
  }
}
