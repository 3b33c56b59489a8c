import { SilkError, type VmRecord } from "@silkvm/core";

/**
 * Checks that a virtiofsd can reach the guest's memory, where it puts what the guest reads.
 * @throws SilkError `MEMORY_NOT_SHARED`
 */
export function checkMemory(vm: VmRecord): void {
  const { config, runtime, name } = vm;
  const details = { id: vm.id, name };
  // Huge pages are mapped for others to share in any case.
  if (!config.sharedMemory && !config.hugepages)
    throw new SilkError(
      `the memory of ${name} is its VMM's alone, so no directory can be shared with it`,
      {
        code: "MEMORY_NOT_SHARED",
        kind: "conflict",
        hint: "Make a VM with shared memory: silk vm create --shared-memory",
        details,
      },
    );
  const { memory } = runtime ?? {};
  if (memory?.used !== "cow") return;
  throw new SilkError(
    `the memory of ${name} is a copy-on-write mapping of the snapshot that it came from, so no directory can be shared with it`,
    {
      code: "MEMORY_NOT_SHARED",
      kind: "conflict",
      hint: "Restore or clone it with --restore-mode copy, or stop it and start it anew.",
      details: { ...details, snapshotId: memory.snapshotId },
    },
  );
}
