import type { VmRecord } from "@silkvm/core";
import type { Machine } from "./machine.ts";
import { pidPath, ranPath } from "./vmm-processes.ts";

/**
 * Whether a VM whose VMM is gone has run and then ended in order: QEMU removes the file with its pid when the guest switches itself off, and when it is asked to
 * end; one that crashed or was killed leaves it.
 */
export async function endedInOrder({ host, paths }: Machine, vm: VmRecord): Promise<boolean> {
  const names = await host.files.list(paths(vm).runDir);
  const has = (path: string): boolean => names.some((name) => path.endsWith(`/${name}`));
  return has(ranPath(paths(vm))) && !has(pidPath(paths(vm)));
}
