import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../guest-vmm.ts";
import { inMountNamespace } from "../mounts.ts";
import type { BoxParts } from "./needs.ts";
import { portName } from "./protocol.ts";

/** Where on the host's PCI bus the spare NVMe is, which its system uses for nothing. */
const spareSlot = "10";
export const spareAddress = `0000:00:${spareSlot}.0`;
/** What the spare NVMe begins with. */
export const spareContent = "the spare NVMe of the box";
const spareBytes = 32 * 1024 ** 2;
const silkDiskBytes = 8 * 1024 ** 3;
const memory = "3G";

export interface MachineFiles {
  /** The directory of the disks, the sockets and the logs. */
  readonly dir: string;
  readonly initramfsPath: string;
  /** The script that the host's root file system is brought up by. */
  readonly hostInitPath: string;
  /** Where somebody listens for the agent. */
  readonly agentSocketPath: string;
}

/** An emulated machine with KVM, an IOMMU, a disk for silk and a spare NVMe, whose files are this machine's own. */
export interface Machine extends AsyncDisposable {
  /** Why it has ended; undefined while it runs. */
  ended(): string | undefined;
}

/** Switches such a machine on. */
export async function startMachine(parts: BoxParts, files: MachineFiles): Promise<Machine> {
  makeDisks(files.dir);
  const children: ChildProcess[] = [];
  const end = async (): Promise<void> => void (await Promise.all(children.map(killed)));
  try {
    const socketPath = join(files.dir, "root.sock");
    const virtiofsd = shareRoot(parts.virtiofsdPath, files.dir, socketPath);
    children.push(virtiofsd);
    await until("virtiofsd listens", () => existsSync(socketPath) || !isRunning(virtiofsd), 20_000);
    const qemu = launch(files.dir, "qemu", [
      parts.qemuPath,
      ...qemuWords(parts, files, socketPath),
    ]);
    children.push(qemu);
    return {
      ended: () =>
        isRunning(qemu)
          ? undefined
          : `the box has ended (${qemu.exitCode ?? qemu.signalCode ?? "not started"})`,
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

function makeDisks(dir: string): void {
  const [silk, spare] = [join(dir, "silk.img"), join(dir, "spare.img")] as const;
  writeFileSync(silk, "");
  truncateSync(silk, silkDiskBytes);
  const { status, stderr } = spawnSync("mkfs.xfs", ["-q", silk], { encoding: "utf8" });
  if (status !== 0) throw new Error(`mkfs.xfs: ${stderr}`);
  writeFileSync(spare, spareContent);
  truncateSync(spare, spareBytes);
}

/** A virtiofsd for which this machine's / is read-only, but for the directory of its own socket, and a /run that QEMU's wants to write to. */
function shareRoot(virtiofsdPath: string, dir: string, socketPath: string): ChildProcess {
  const isQemus = virtiofsdPath.startsWith("/usr/lib/qemu/");
  const words = isQemus
    ? ["-f", "-o", "source=/,sandbox=chroot,cache=always,log_level=warn"]
    : ["--shared-dir=/", "--sandbox=none", "--cache=always", "--no-announce-submounts"];
  const readOnly = inMountNamespace(
    `mount -t tmpfs tmpfs /run; mount --bind '${dir}' '${dir}'; mount -o remount,bind,ro /`,
  );
  return launch(dir, "virtiofsd", [
    ...readOnly,
    virtiofsdPath,
    `--socket-path=${socketPath}`,
    ...words,
  ]);
}

function qemuWords(
  parts: BoxParts,
  files: MachineFiles,
  rootSocketPath: string,
): readonly string[] {
  const drive = (id: string): string =>
    `if=none,id=${id},file=${join(files.dir, `${id}.img`)},format=raw,cache=unsafe,discard=unmap`;
  return [
    ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "q35"],
    ["-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "EPYC,+svm,+npt", "-smp", "2"],
    ["-m", memory, "-object", `memory-backend-memfd,id=memory,size=${memory},share=on`],
    ["-numa", "node,memdev=memory"],
    ["-serial", `file:${join(files.dir, "host.log")}`],
    // With fewer bits than these VFIO cannot map what Cloud Hypervisor asks it to.
    ["-device", "intel-iommu,intremap=on,aw-bits=48"],
    ["-chardev", `socket,id=root,path=${rootSocketPath}`],
    ["-device", "vhost-user-fs-pci,chardev=root,tag=machine"],
    ["-chardev", `socket,id=agent,path=${files.agentSocketPath}`],
    ["-device", "virtio-serial-pci"],
    ["-device", `virtserialport,chardev=agent,name=${portName}`],
    ["-drive", drive("silk"), "-device", "nvme,drive=silk,serial=silk"],
    ["-drive", drive("spare"), "-device", `nvme,drive=spare,serial=spare,addr=0x${spareSlot}`],
    ["-kernel", parts.kernel.path, "-initrd", files.initramfsPath],
    ["-append", hostCommandLine(files.hostInitPath)],
  ].flat();
}

function hostCommandLine(hostInitPath: string): string {
  return [
    "console=ttyS0 panic=-1 mitigations=off nokaslr tsc=reliable quiet net.ifnames=0 intel_iommu=on",
    `BOX_INIT=${hostInitPath}`,
  ].join(" ");
}

function launch(
  dir: string,
  name: string,
  [command = "", ...args]: readonly string[],
): ChildProcess {
  const log = openSync(join(dir, `${name}.log`), "w");
  const child = spawn(command, args, { stdio: ["ignore", log, log] });
  // One that cannot be started shows as one that does not run.
  child.on("error", (error) => writeFileSync(join(dir, `${name}.log`), error.message));
  closeSync(log);
  return child;
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

async function killed(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}
