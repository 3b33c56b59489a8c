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
import { checkFirmware } from "./check-firmware.ts";
import type { Machine } from "./machine.ts";

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
  const cowIsFormatted =
    spec.config.storageBytes > 0 && spec.boot.kind === "direct" && spec.image?.disk === undefined;
  if (cowIsFormatted || spec.dataDisks.some(({ fstype }) => fstype === "ext4"))
    await checkExt4Tool(host);
  context.signal?.throwIfAborted();
  if (spec.config.dns !== undefined && spec.config.image === undefined)
    context.warn(
      "--dns is for guests of images: a kernel of your own is told of DNS servers by --cmdline",
    );
  if ((await host.processes.which(settings.chBinary)) === undefined)
    context.warn(`the VM can be made, but not started: ${settings.chBinary} is not installed`);
  return { disks };
}

async function checkBoot({ host }: Machine, { boot }: ResolvedVmSpec): Promise<void> {
  if (boot.kind === "firmware") {
    await checkPath(host, { path: boot.firmwarePath, flag: "--firmware" });
    await checkFirmware(host, boot.firmwarePath);
    return;
  }
  checkCmdline(boot.cmdline);
  await checkPath(host, { path: boot.kernelPath, flag: "--kernel" });
  if (boot.initrdPath !== undefined)
    await checkPath(host, { path: boot.initrdPath, flag: "--initrd" });
}

/** The VMM passes on printable ASCII alone. */
function checkCmdline(cmdline: string): void {
  const bad = /[^\x20-\x7e]/u.exec(cmdline)?.[0];
  if (bad === undefined) return;
  throw new SilkError(`--cmdline: a kernel's command line cannot hold ${JSON.stringify(bad)}`, {
    code: "INVALID_CMDLINE",
    kind: "invalid",
    hint: "Use printable ASCII characters and spaces only.",
    details: { cmdline },
  });
}
