import { type Host, SilkError, type VmRecord } from "@silkvm/core";
import { readKernelFile } from "./kernel-files.ts";

/** CAP_IPC_LOCK: who has it may lock as much memory as there is. */
const mayLock = 1n << 14n;

/**
 * A device writes into the guest's memory by itself, so all of it is locked. Found out here, for a VMM that fails in the middle of that has spoilt
 * its next try.
 * @throws SilkError `MEMORY_LOCK_LIMIT`
 */
export async function checkMemoryLock(vm: VmRecord, { files }: Pick<Host, "files">): Promise<void> {
  const pid = vm.runtime?.vmm.pid;
  const limits = (await readKernelFile(files, `/proc/${pid}/limits`)) ?? "";
  const limit = /^Max locked memory\s+(\d+)\s/m.exec(limits)?.[1];
  const status = (await readKernelFile(files, `/proc/${pid}/status`)) ?? "";
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (limit === undefined || capabilities === undefined) return;
  if ((BigInt(`0x${capabilities}`) & mayLock) !== 0n) return;
  const { memoryBytes } = vm.config;
  if (Number(limit) >= memoryBytes) return;
  throw memoryLockLimit(vm, Number(limit));
}

/** The error for a VMM that may not lock the guest's memory. */
export function memoryLockLimit(vm: VmRecord, limitBytes?: number): SilkError {
  const { memoryBytes } = vm.config;
  const limit = limitBytes === undefined ? "" : ` of ${limitBytes} bytes`;
  return new SilkError(
    `the guest's ${memoryBytes} bytes of memory must be locked for the device, and the VMM's limit${limit} does not allow it`,
    {
      code: "MEMORY_LOCK_LIMIT",
      kind: "denied",
      hint: "Raise it (`ulimit -l unlimited`, or memlock in /etc/security/limits.conf) and start the VM again, or run it as root.",
      details: { memoryBytes, ...(limitBytes === undefined ? {} : { limitBytes }) },
    },
  );
}
