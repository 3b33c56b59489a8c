import {
  type BackendContext,
  checkDisks,
  type Disk,
  findVmmProgram,
  isSilkError,
  type OperationContext,
  type ResolvedVmSpec,
  type VmmProgram,
} from "@silkvm/core";
import { checkExt4Tool } from "../ext4.ts";
import { checkGivenDisks } from "./check-given-disks.ts";
import { checkPath } from "./check-path.ts";
import { checkSocketPath } from "./check-socket-path.ts";
import { plannedDisks } from "./planned-disks.ts";

/**
 * Checks a wanted VM against this host, and says which disks it will have: what is the same for every VMM that is a program, boots kernels or firmware, and has its
 * disks in files. Makes nothing.
 * @param program the VMM's: the user is told where it cannot be started
 * @throws SilkError `SOCKET_PATH_TOO_LONG`, `FILE_NOT_FOUND`, `INVALID_DISK`, and others that name what is wrong
 */
export async function planVm(
  { host, paths }: Pick<BackendContext, "host" | "paths">,
  spec: ResolvedVmSpec,
  program: VmmProgram,
  { signal, warn }: OperationContext,
): Promise<{ readonly disks: readonly Disk[] }> {
  const { apiSocketPath, consoleSocketPath } = paths(spec);
  for (const path of [apiSocketPath, consoleSocketPath]) checkSocketPath(path);
  const { boot, config, dataDisks } = spec;
  if (boot.kind === "firmware")
    await checkPath(host, { path: boot.firmwarePath, flag: "--firmware" });
  else {
    await checkPath(host, { path: boot.kernelPath, flag: "--kernel" });
    if (boot.initrdPath !== undefined)
      await checkPath(host, { path: boot.initrdPath, flag: "--initrd" });
  }
  await checkGivenDisks(host, spec.disks, spec.backend);
  const disks = await plannedDisks(host, spec, paths(spec));
  checkDisks(disks);
  const cowIsFormatted =
    config.storageBytes > 0 && boot.kind === "direct" && spec.image?.disk === undefined;
  if (cowIsFormatted || dataDisks.some(({ fstype }) => fstype === "ext4"))
    await checkExt4Tool(host);
  signal?.throwIfAborted();
  if (config.dns !== undefined && config.image === undefined)
    warn("--dns is for guests of images: a kernel of your own is told of DNS servers by --cmdline");
  await findVmmProgram(host, program).catch((error: unknown) => {
    if (!isSilkError(error)) throw error;
    warn(`the VM can be made, but not started: ${error.message}`);
  });
  return { disks };
}
