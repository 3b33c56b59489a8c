import { dirname } from "node:path";
import type { VmPaths, VmRecord } from "@silkvm/core";
import { makeCommands } from "./make-commands.ts";
import { disksToMake } from "./planned-disks.ts";

/**
 * Commands that make the directories and the disks that silk would make for a VM.
 * @param more commands of the backend's own, for what else it puts into the VM's data directory
 */
export function preparation(
  vm: VmRecord,
  paths: VmPaths,
  more: readonly (readonly string[])[] = [],
): readonly (readonly string[])[] {
  const { dataDir, runDir } = paths;
  const commands = [...disksToMake(vm, paths).flatMap(makeCommands), ...more];
  // Each with its parents, since -m is for what is named alone.
  const directories = [runDir, ...(commands.length > 0 ? [dataDir] : [])].flatMap((path) => [
    dirname(dirname(path)),
    dirname(path),
    path,
  ]);
  return [["mkdir", "-p", "-m", "0700", ...directories], ...commands];
}
