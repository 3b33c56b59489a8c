import {
  checkDisks,
  type Disk,
  type OperationContext,
  type ResolvedVmSpec,
  SilkError,
} from "@silkvm/core";
import { checkExt4Tool, checkImage, checkPath, plannedDisks } from "@silkvm/storage";
import { checkFirmware } from "./check-firmware.ts";
import type { Machine } from "./machine.ts";

/** `sun_path` of a Unix socket has room for so many bytes and a NUL. */
const longestSocketPath = 107;

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
  await checkGivenDisks(machine, spec);
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

function checkSocketPath(path: string): void {
  const length = Buffer.byteLength(path);
  if (length <= longestSocketPath) return;
  throw new SilkError(
    `${path} is ${length} bytes long, and a socket's path has room for ${longestSocketPath}`,
    {
      code: "SOCKET_PATH_TOO_LONG",
      kind: "invalid",
      hint: "Name a directory with a shorter path with --run-dir, or give the VM a shorter id.",
      details: { path, lengthBytes: length, longestBytes: longestSocketPath },
    },
  );
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

async function checkGivenDisks({ host }: Machine, { disks }: ResolvedVmSpec): Promise<void> {
  const seen = new Map<string, string>();
  for (const { path, readonly = false, directIo } of disks) {
    const stat = await checkPath(host, { path, flag: "--disk", writable: !readonly });
    if (readonly && directIo !== undefined)
      throw new SilkError(`--disk: ${path} is read-only, and direct= is for writable disks`, {
        code: "INVALID_DISK",
        kind: "invalid",
        hint: "Leave direct= or readonly out.",
        details: { path },
      });
    const file = `${stat.device}:${stat.inode}`;
    const same = seen.get(file);
    if (same !== undefined)
      throw new SilkError(
        same === path
          ? `--disk: ${path} is given twice`
          : `--disk: ${path} and ${same} are the same file`,
        {
          code: "INVALID_DISK",
          kind: "invalid",
          hint: "Give each disk once: a guest that has it twice destroys what is on it.",
          details: { path, same },
        },
      );
    seen.set(file, path);
    await checkImage(host, { path, readonly, backend: "cloud-hypervisor" });
  }
}
