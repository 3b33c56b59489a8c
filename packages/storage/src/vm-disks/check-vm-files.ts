import type { Host, VmRecord } from "@silkvm/core";
import { checkPath, type NamedFile } from "./check-path.ts";

/**
 * Checks that the files which a VM was made of are still there and can be used: the VMM would only say that some file is missing.
 * @throws SilkError `FILE_NOT_FOUND`, `INVALID_FILE`, `PERMISSION_DENIED`
 */
export async function checkVmFiles(host: Host, vm: VmRecord): Promise<void> {
  const files: NamedFile[] = vm.disks.map(({ path, readonly, role, serial }) => ({
    path,
    flag: serial === undefined ? `${role} disk` : `${role} disk ${serial}`,
    writable: !readonly,
  }));
  const { boot } = vm;
  if (boot.kind === "firmware") files.push({ path: boot.firmwarePath, flag: "firmware" });
  else {
    files.push({ path: boot.kernelPath, flag: "kernel" });
    if (boot.initrdPath !== undefined) files.push({ path: boot.initrdPath, flag: "initrd" });
  }
  await Promise.all(files.map((file) => checkPath(host, file)));
}
