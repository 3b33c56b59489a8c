import { ChVmmEndedError } from "@silkvm/ch-client";
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
import { cpuMismatchHint } from "./check-cpu.ts";
import type { Machine } from "./machine.ts";
import { errorChain, meaningful } from "./vmm-log.ts";

/** What is known of a VMM that failed, or of what it refused. */
export interface VmmFailure extends Partial<
  Pick<LaunchEvidence, "what" | "exit" | "cause" | "strays">
> {
  /** The code of what the VMM's words tell nothing else of. Default `VMM_EXITED`. */
  readonly code?: "VMM_EXITED" | "VMM_REFUSED" | undefined;
  /** The VMM's errors, outermost first: from its API or from its log. */
  readonly chain: readonly string[];
  /** End of the log of this launch. */
  readonly log: readonly string[];
}

/** A launch that failed, with what the VMM has told of it: by its API, or else in its log. */
export function withChain(evidence: LaunchEvidence): VmmFailure {
  const { refusal, log } = evidence;
  return { ...evidence, chain: refusal.length > 0 ? refusal : errorChain(log) };
}

const socketInUse = /API socket .* already in use/;
const diskLocked = /The file is already locked/;
const cpuMismatch = /Error checking CPUID compatibility/;
const kernelRefused = /Cannot load the kernel|Kernel Loader|Cannot load .*(?:firmware|initramfs)/;
const addressInUse = /Address already in use|os error 98\b/;

/** Whether the VM's own earlier VMM stood in the way, which is ended by now: the same launch may succeed. */
export function stoodInItsOwnWay({ chain, strays }: VmmFailure): boolean {
  const text = chain.join("\n");
  // Before v53 the VMM had no lock beside its socket, and only said that its address is in use.
  return (
    strays === true && [socketInUse, diskLocked, addressInUse].some((words) => words.test(text))
  );
}

/** Whether the CPU is what the VMM has against a snapshot: it would have it in any way of restoring. */
export function lacksCpuFeatures({ chain }: VmmFailure): boolean {
  return chain.some((link) => cpuMismatch.test(link));
}

/** What a VMM's end before its guest ran means for a user, as a typed error. Nothing that the VMM said is lost: `details.log`, `details.chain`. */
export async function launchFailure(
  machine: Machine,
  vm: VmRecord,
  failed: VmmFailure,
): Promise<SilkError> {
  const {
    chain,
    log,
    exit,
    cause,
    what: meaning = "the VMM ended before the guest ran",
    code = "VMM_EXITED",
  } = failed;
  const links = meaningful(chain);
  const text = links.join(": ");
  const details = {
    chain,
    log,
    ...(exit?.exitCode === undefined ? {} : { exitCode: exit.exitCode }),
    ...(exit?.signal === undefined ? {} : { signal: exit.signal }),
  };
  // How it was noticed that the VMM had ended says nothing more where the VMM itself has told why.
  const why = ChVmmEndedError.is(cause) && text !== "" ? undefined : cause;
  const failure = (message: string, options: Omit<SilkErrorOptions, "details">): SilkError =>
    new SilkError(message, { ...options, details, cause: why });

  if (diskLocked.test(text)) {
    const path = /lock for disk image: (?<path>.+?)(?:: The file is already locked|$)/.exec(text);
    return await diskLockedError(machine, vm, path?.groups?.["path"], details);
  }
  if (/hypervisor interface|no supported hypervisor/i.test(text)) {
    if (isDenied(text)) return kvmDenied(details);
    return (await kvmProblem(machine.host, details)) ?? kvmUnavailable({ ...details, said: text });
  }
  if (socketInUse.test(text))
    return failure(`another VMM serves the socket of the VM ${vm.name}: ${text}`, {
      code: "VMM_RUNS_ALREADY",
      kind: "conflict",
      hint: `End it first: silk vm stop --force ${vm.name}`,
    });
  for (const { pattern, applies, what, ...options } of translations) {
    if (pattern.test(text) && applies?.(vm) !== false) return failure(`${what}: ${text}`, options);
  }
  return failure(`${meaning}: ${text === "" ? endOf(exit) : text}`, {
    code,
    kind: "failed",
    hint: `Its log tells more: silk vm logs ${vm.name}`,
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

/** The first that matches counts. */
const translations: readonly Translation[] = [
  {
    pattern: cpuMismatch,
    code: "SNAPSHOT_CPU_MISMATCH",
    kind: "unsupported",
    what: "the snapshot's guest was given features of another CPU that this machine's cannot give it",
    hint: cpuMismatchHint,
  },
  {
    pattern: /Memory manager error/,
    applies: (vm) => vm.config.hugepages,
    code: "HUGEPAGES_UNAVAILABLE",
    kind: "failed",
    what: "the host has too few huge pages for the guest's memory",
    hint: "Reserve some (`sysctl vm.nr_hugepages=<2 MiB pages>`), or make the VM without --hugepages.",
  },
  {
    pattern: /Cannot allocate memory|os error 12\b/,
    code: "OUT_OF_MEMORY",
    kind: "failed",
    what: "the host cannot give the guest its memory",
    hint: "Stop other VMs, or give this one less with --memory.",
  },
  {
    pattern: /\btaps?\b.*(?:Device or resource busy|os error 16\b)/i,
    code: "TAP_BUSY",
    kind: "conflict",
    what: "another process uses the VM's TAP device",
    hint: "Stop the VM that uses it, or give this VM another NIC.",
  },
  {
    pattern: /\btaps?\b/i,
    code: "TAP_FAILED",
    kind: "failed",
    what: "the VM's TAP device cannot be opened",
    hint: "A VM with one vCPU needs a plain TAP, one with more a multi_queue TAP; and opening one needs CAP_NET_ADMIN or its ownership.",
  },
  {
    pattern: kernelRefused,
    applies: (vm) => vm.boot.kind === "firmware",
    code: "KERNEL_UNUSABLE",
    kind: "invalid",
    what: "the VMM cannot boot this firmware",
    hint: "It takes an ELF file with a PVH entry, such as CLOUDHV.fd or hypervisor-fw, and memory enough to hold it.",
  },
  {
    pattern: /Disk image type does not match/,
    code: "INVALID_IMAGE",
    kind: "invalid",
    what: "a disk is not of the format that its name says",
    hint: "A name that ends in .qcow2 says qcow2, every other one says raw. `qemu-img info` tells what a file is.",
  },
  {
    pattern: kernelRefused,
    code: "KERNEL_UNUSABLE",
    kind: "invalid",
    what: "the VMM cannot boot this kernel",
    hint: "It takes an uncompressed kernel with a PVH entry (vmlinux) or a bzImage, and memory enough to hold it.",
  },
  {
    pattern: addressInUse,
    code: "ADDRESS_IN_USE",
    kind: "conflict",
    what: "a socket of the VM is in use",
    hint: "Another process listens in the VM's run directory: `silk gc` shows what no VM owns.",
  },
  {
    pattern: /Cannot open disk path.*(?:Invalid argument|os error 22\b)/,
    code: "DISK_UNUSABLE",
    kind: "failed",
    what: "the VMM cannot open a disk",
    hint: "Where the file system knows no direct I/O, give --no-direct-io.",
  },
  {
    pattern: /No space left on device|os error 28\b/,
    code: "DISK_FULL",
    kind: "failed",
    what: "no room on the disk",
    hint: "Free some space (`silk gc --dry-run` shows what silk can let go) and run the command again.",
  },
  {
    pattern: /No such file or directory|os error 2\b/,
    code: "FILE_NOT_FOUND",
    kind: "not-found",
    what: "the VMM misses a file",
    hint: "Check that the VM's kernel, initrd or firmware and its disks are where they were when it was made: silk vm inspect",
  },
  {
    pattern: /Permission denied|os error (?:13|1)\b/,
    code: "PERMISSION_DENIED",
    kind: "denied",
    what: "the VMM lacks a permission",
    hint: "Run as root, or give this user the permission for the file that the message names.",
  },
];

function isDenied(text: string): boolean {
  return /Permission denied|os error (?:13|1)\b/.test(text);
}

function endOf(exit: ProcessExit | undefined): string {
  if (exit?.signal !== undefined) return `it was ended by ${exit.signal}`;
  if (exit?.exitCode !== undefined) return `it ended with exit code ${exit.exitCode}`;
  return "it ended without a word";
}
