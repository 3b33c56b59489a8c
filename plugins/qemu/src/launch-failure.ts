import {
  diskLockedError,
  kvmDenied,
  kvmProblem,
  kvmUnavailable,
  type LaunchEvidence,
  type ProcessExit,
  SilkError,
  type SilkErrorOptions,
  type VmRecord,
} from "@silkvm/core";
import type { Machine } from "./machine.ts";
import { machineUnknown } from "./probe.ts";
import { complaints, withoutArgument } from "./vmm-log.ts";

const diskLocked =
  /Failed to get (?:"|shared |exclusive ).*lock|Is another process using the image/;
const addressInUse = /Failed to bind socket.*Address already in use/;
const noDirectIo = /O_DIRECT/;

/** Whether the VM's own earlier VMM stood in the way, which is ended by now: the same launch may succeed. */
export function stoodInItsOwnWay({ log, strays }: LaunchEvidence): boolean {
  const text = complaints(log).join("\n");
  return strays === true && (diskLocked.test(text) || addressInUse.test(text));
}

/** Whether a disk lies on a file system without direct I/O: the launch may succeed without. */
export function lacksDirectIo({ log }: LaunchEvidence): boolean {
  return complaints(log).some((text) => noDirectIo.test(text));
}

/** Why KVM, which opens, does not work; undefined where something else went wrong. */
export function kvmFailure({ log }: LaunchEvidence): string | undefined {
  const said = complaints(log);
  return said.some((text) => /kvm/i.test(text)) ? said.map(withoutArgument).join("; ") : undefined;
}

/** What a VMM's end before its guest ran means for a user, as a typed error. Nothing that the VMM said is lost: `details.log`. */
export async function launchFailure(
  machine: Machine,
  vm: VmRecord,
  { what: meaning, refusal, ended, log, exit, cause }: LaunchEvidence,
): Promise<SilkError> {
  // One that has ended may have refused something because it was about to.
  const hasRefused = !ended && refusal.length > 0;
  const said = hasRefused ? refusal : complaints(log).map(withoutArgument);
  const text = said.join("; ");
  const details = {
    log,
    ...(exit?.exitCode === undefined ? {} : { exitCode: exit.exitCode }),
    ...(exit?.signal === undefined ? {} : { signal: exit.signal }),
  };
  if (diskLocked.test(text)) return await diskLockedError(machine, vm, undefined, details);
  if (/kvm/i.test(text) && /Could not access KVM|failed to initialize kvm|KVM_CREATE/i.test(text)) {
    if (/Permission denied/.test(text)) return kvmDenied(details);
    return (await kvmProblem(machine.host, details)) ?? kvmUnavailable({ ...details, said: text });
  }
  if (/unsupported machine type/i.test(text))
    return machineUnknown(machine.settings.qemuMachine, machine.settings.qemuBinary, details);
  for (const { pattern, applies, what, ...options } of translations) {
    if (pattern.test(text) && applies?.(vm) !== false)
      return new SilkError(`${what}: ${text}`, { ...options, details });
  }
  return new SilkError(`${meaning}: ${text === "" ? endOf(exit) : text}`, {
    code: hasRefused ? "VMM_REFUSED" : "VMM_EXITED",
    kind: "failed",
    hint: `Its log tells more: silk vm logs ${vm.name}`,
    details,
    cause: text === "" ? cause : undefined,
  });
}

interface Translation extends Pick<SilkErrorOptions, "code" | "kind"> {
  /** Of the VMM's own words. */
  readonly pattern: RegExp;
  /** Whether the VM is one that this can be true of. Default: every one. */
  readonly applies?: (vm: VmRecord) => boolean;
  readonly what: string;
  readonly hint: string;
}

const kernelRefused =
  /could not load (?:kernel|PC BIOS|initrd)|linux kernel too old|error loading (?:uncompressed )?kernel|invalid (?:kernel|elf)|initrd is too large|could not read.*kernel|qemu: could not/i;

/** The first that matches counts. */
const translations: readonly Translation[] = [
  {
    pattern: /could not configure \/dev\/net\/tun|\/dev\/net\/tun|-netdev|TUNSETIFF/i,
    code: "TAP_FAILED",
    kind: "failed",
    what: "the VM's TAP device cannot be opened",
    hint: "A VM with one vCPU needs a plain TAP, one with more a multi_queue TAP; and opening one needs CAP_NET_ADMIN or its ownership.",
  },
  {
    pattern:
      /cannot set up guest memory|Cannot allocate memory|unable to (?:map|allocate).*(?:memory|hugepages)|hugetlb/i,
    code: "MEMORY_UNAVAILABLE",
    kind: "unavailable",
    what: "the host does not give the VM its memory",
    hint: "Give the VM less (--memory), end others, or reserve huge pages where it is to have such.",
  },
  {
    pattern: /pflash|flash|system firmware|combined size|PC BIOS/i,
    applies: (vm) => vm.boot.kind === "firmware",
    code: "KERNEL_UNUSABLE",
    kind: "invalid",
    what: "QEMU cannot boot this firmware",
    hint: "It takes UEFI for PCs as raw flash, such as OVMF_CODE.fd of the package ovmf.",
  },
  {
    pattern: /Image is not in qcow2 format|Unknown driver|not.*valid.*qcow/i,
    code: "INVALID_IMAGE",
    kind: "invalid",
    what: "a disk is not of the format that its name says",
    hint: "A name that ends in .qcow2 says qcow2, every other one says raw. `qemu-img info` tells what a file is.",
  },
  {
    pattern: kernelRefused,
    code: "KERNEL_UNUSABLE",
    kind: "invalid",
    what: "QEMU cannot boot this kernel",
    hint: "It takes a bzImage, or an uncompressed kernel with a PVH entry (vmlinux), and memory enough to hold it.",
  },
  {
    pattern:
      /not a valid (?:bus|device)|Device '\S+' not found|'\S+' is not a valid device model name|Property .* not found/i,
    code: "VMM_LACKS_DEVICE",
    kind: "unsupported",
    what: "this QEMU lacks a device that silk gives VMs",
    hint: "Install the rest of QEMU: distributions put devices into packages of their own.",
  },
  {
    pattern: addressInUse,
    code: "ADDRESS_IN_USE",
    kind: "conflict",
    what: "a socket of the VM is in use",
    hint: "Another process listens in the VM's run directory: `silk gc` shows what no VM owns.",
  },
  {
    pattern: noDirectIo,
    code: "DISK_UNUSABLE",
    kind: "failed",
    what: "QEMU cannot open a disk",
    hint: "Where the file system knows no direct I/O, give --no-direct-io.",
  },
  {
    pattern: /No space left on device/,
    code: "DISK_FULL",
    kind: "failed",
    what: "no room on the disk",
    hint: "Free some space (`silk gc --dry-run` shows what silk can let go) and run the command again.",
  },
  {
    pattern: /No such file or directory/,
    code: "FILE_NOT_FOUND",
    kind: "not-found",
    what: "QEMU misses a file",
    hint: "Check that the VM's kernel, initrd or firmware and its disks are where they were when it was made: silk vm inspect",
  },
  {
    pattern: /Permission denied/,
    code: "PERMISSION_DENIED",
    kind: "denied",
    what: "QEMU lacks a permission",
    hint: "Run as root, or give this user the permission for the file that the message names.",
  },
];

function endOf(exit: ProcessExit | undefined): string {
  if (exit?.signal !== undefined) return `it was ended by ${exit.signal}`;
  if (exit?.exitCode !== undefined) return `it ended with exit code ${exit.exitCode}`;
  return "it ended without a word";
}
