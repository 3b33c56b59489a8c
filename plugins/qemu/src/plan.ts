import {
  checkDisks,
  type Disk,
  type OperationContext,
  type ResolvedVmSpec,
  SilkError,
} from "@silkvm/core";
import {
  checkExt4Tool,
  checkGivenDisks,
  checkPath,
  checkSocketPath,
  plannedDisks,
} from "@silkvm/storage";
import { mostDisks } from "./layout.ts";
import type { Machine } from "./machine.ts";
import { isMicrovm } from "./settings.ts";

/** Checks a wanted VM against this host, and says which disks it will have. Makes nothing. */
export async function plan(
  machine: Machine,
  spec: ResolvedVmSpec,
  context: OperationContext,
): Promise<{ readonly disks: readonly Disk[] }> {
  const { host, settings } = machine;
  const paths = machine.paths(spec);
  for (const path of [paths.apiSocketPath, paths.consoleSocketPath]) checkSocketPath(path);
  await checkBoot(machine, spec);
  await checkGivenDisks(host, spec.disks, spec.backend);
  const disks = await plannedDisks(host, spec, paths);
  checkDisks(disks);
  if (disks.length > mostDisks)
    throw new SilkError(
      `a VM of the backend ${spec.backend} has at most ${mostDisks} disks, and not ${disks.length}`,
      {
        code: "INVALID_SPEC",
        kind: "invalid",
      },
    );
  const cowIsFormatted =
    spec.config.storageBytes > 0 && spec.boot.kind === "direct" && spec.image?.disk === undefined;
  if (cowIsFormatted || spec.dataDisks.some(({ fstype }) => fstype === "ext4"))
    await checkExt4Tool(host);
  context.signal?.throwIfAborted();
  if (spec.config.dns !== undefined && spec.config.image === undefined)
    context.warn(
      "--dns is for guests of images: a kernel of your own is told of DNS servers by --cmdline",
    );
  if ((await host.processes.which(settings.qemuBinary)) === undefined)
    context.warn(`the VM can be made, but not started: ${settings.qemuBinary} is not installed`);
  return { disks };
}

async function checkBoot({ host, settings }: Machine, { boot }: ResolvedVmSpec): Promise<void> {
  if (boot.kind === "firmware") {
    if (isMicrovm(settings.qemuMachine))
      throw new SilkError(`--firmware: QEMU's machine ${settings.qemuMachine} boots kernels only`, {
        code: "INVALID_SPEC",
        kind: "unsupported",
        hint: "Use the machine q35: silk config set qemuMachine q35, or SILK_QEMU_MACHINE=q35.",
      });
    await checkPath(host, { path: boot.firmwarePath, flag: "--firmware" });
    return;
  }
  await checkPath(host, { path: boot.kernelPath, flag: "--kernel" });
  if (boot.initrdPath !== undefined)
    await checkPath(host, { path: boot.initrdPath, flag: "--initrd" });
}
