import type { ChApiError } from "@silkvm/ch-client";
import { SilkError, type SilkErrorOptions, type VmRecord } from "@silkvm/core";
import { memoryLockLimit, type VfioData } from "@silkvm/vfio";
import { meaningful } from "./vmm-log.ts";

interface Translation extends Pick<SilkErrorOptions, "code" | "kind"> {
  /** Of the VMM's own words. */
  readonly pattern: RegExp;
  readonly what: string;
  readonly hint: string;
}

/** What the VMM says of a PCI device that it cannot take, for a user. Undefined where it says nothing that is known. */
export function vfioFailure(
  vm: VmRecord,
  { pci, group }: VfioData,
  error: ChApiError,
): SilkError | undefined {
  const text = meaningful(error.chain).join(": ");
  if (/memory map into iommu table.*os error 12\b/.test(text)) return memoryLockLimit(vm);
  const known = translations.find(({ pattern }) => pattern.test(text));
  if (known === undefined) return undefined;
  const { code, kind, what, hint } = known;
  return new SilkError(`${what}: ${text}`, {
    code,
    kind,
    hint,
    details: { pci, group, chain: error.chain },
    cause: error,
  });
}

/** The first that matches counts. */
const translations: readonly Translation[] = [
  {
    pattern: /Duplicated device path/,
    code: "DEVICE_EXISTS",
    kind: "conflict",
    what: "the VM has the device already, though silk did not give it",
    hint: "`silk vm inspect` shows the devices of its VMM.",
  },
  {
    pattern: /\/dev\/vfio\/\S+ (?:container|group):.*os error (?:13|1)\b/,
    code: "PERMISSION_DENIED",
    kind: "denied",
    what: "the VMM may not use VFIO",
    hint: "Run as root, or give the VMM's user the files below /dev/vfio that the message names.",
  },
  {
    pattern: /\/dev\/vfio\/vfio container:/,
    code: "VFIO_UNAVAILABLE",
    kind: "unavailable",
    what: "the VMM cannot use VFIO",
    hint: "Load the kernel's modules (`modprobe vfio-pci vfio_iommu_type1`), and see `silk doctor`.",
  },
  {
    pattern: /\/dev\/vfio\/\S+ group:.*os error 16\b/,
    code: "GROUP_IN_USE",
    kind: "conflict",
    what: "another process has the device's IOMMU group open",
    hint: "End it first: `silk host devices` shows who it is.",
  },
  {
    pattern: /\/dev\/vfio\/\S+ group:.*os error 2\b|get vfio device fd/,
    code: "DEVICE_NOT_BOUND",
    kind: "conflict",
    what: "the device is not bound to vfio-pci",
    hint: "Add --bind.",
  },
  {
    pattern: /group is not viable/,
    code: "GROUP_NOT_WHOLE",
    kind: "conflict",
    what: "the host still has a device of the same IOMMU group",
    hint: "Add --bind to bind the whole group to vfio-pci: `silk host devices` shows it.",
  },
  {
    pattern: /memory map into iommu table.*os error 22\b/,
    code: "IOMMU_TOO_NARROW",
    kind: "unsupported",
    what: "the host's IOMMU cannot hold the guest's addresses",
    hint: "They lie at the top of what the CPU can address. QEMU's emulated IOMMU wants `aw-bits=48`; on a real one the kernel's log (dmesg) tells its width.",
  },
  {
    pattern: /container's IOMMU driver type|vfio group into vfio container/,
    code: "VFIO_REFUSED",
    kind: "failed",
    what: "the kernel does not give the device away",
    hint: "Its log tells why (dmesg): often the IOMMU cannot keep interrupts apart, and the module vfio_iommu_type1 wants allow_unsafe_interrupts=1.",
  },
];
