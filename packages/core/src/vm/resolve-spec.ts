import { resolve } from "node:path";
import { SilkError } from "../errors.ts";
import type { Host } from "../host.ts";
import { validate } from "../validate.ts";
import { resolveDataDisks } from "./data-disks.ts";
import { checkName, randomId } from "./names.ts";
import { resolveNics } from "./nics.ts";
import type { Boot, VmConfig } from "./record.ts";
import { vmSpecSchema } from "./spec-schema.ts";
import type { BootSpec, ResolvedVmSpec, VmSpec } from "./spec.ts";

const mib = 1024 ** 2;
const gib = 1024 ** 3;
const tib = 1024 ** 4;
const pageBytes = 4096;
const hugePageBytes = 2 * mib;

/** The largest memory that a VMM can be asked for: far above any host, far below where address arithmetic overflows in one. */
const largestMemoryBytes = 2 ** 44;

/** The largest file that ext4 and XFS both hold: 16 TiB less a block. */
const largestDiskBytes = 2 ** 44 - pageBytes;

/**
 * Fills in the defaults of a spec and checks it against the rules and the host.
 * @throws SilkError `INVALID_SPEC`, `INVALID_NAME`, `TOO_MANY_CPUS`, `TOO_MUCH_MEMORY`
 */
export function resolveSpec(
  input: VmSpec,
  host: Host,
  defaults: { readonly backend: string; readonly cwd: string },
): ResolvedVmSpec {
  const spec = validate(vmSpecSchema, input, "INVALID_SPEC", "the VM's spec");
  const id = spec.id === undefined ? randomId(host) : checkName(spec.id, "id");
  const boot = resolveBoot(input.boot, defaults.cwd);
  const cpus = spec.cpus ?? Math.min(2, host.facts.cpus);
  const config: VmConfig = {
    cpus,
    memoryBytes: checkMemory(spec.memoryBytes ?? gib, spec.hugepages ?? false),
    storageBytes: checkDiskSize(
      spec.storageBytes ?? (boot.kind === "direct" ? 10 * gib : 0),
      "the VM's own disk",
    ),
    netQueueSize: spec.netQueueSize ?? 0,
    diskQueueSize: spec.diskQueueSize ?? 0,
    noDirectIo: spec.noDirectIo ?? false,
    windows: spec.windows ?? false,
    sharedMemory: spec.sharedMemory ?? false,
    hugepages: spec.hugepages ?? false,
    ...(spec.bridge === undefined ? {} : { bridge: spec.bridge }),
    ...(spec.network === undefined ? {} : { network: spec.network }),
    ...(spec.dns === undefined ? {} : { dns: spec.dns }),
  };
  checkRoomForVm(config, host);
  return {
    id,
    name: spec.name === undefined ? `vm-${id.slice(0, 59)}` : checkName(spec.name, "name"),
    backend: spec.backend ?? defaults.backend,
    config,
    boot,
    disks: (input.disks ?? []).map((disk) => ({ ...disk, path: resolve(defaults.cwd, disk.path) })),
    dataDisks: resolveDataDisks(input, checkDiskSize),
    ...resolveNics(spec),
    labels: spec.labels ?? {},
  };
}

function resolveBoot(boot: BootSpec, cwd: string): Boot {
  if ("firmware" in boot) return { kind: "firmware", firmwarePath: resolve(cwd, boot.firmware) };
  return {
    kind: "direct",
    kernelPath: resolve(cwd, boot.kernel),
    ...(boot.initrd === undefined ? {} : { initrdPath: resolve(cwd, boot.initrd) }),
    cmdline: boot.cmdline ?? "console=hvc0",
  };
}

function checkMemory(memoryBytes: number, hugepages: boolean): number {
  const unit = hugepages ? hugePageBytes : pageBytes;
  const invalid = (message: string, hint: string): SilkError =>
    new SilkError(message, {
      code: "INVALID_MEMORY",
      kind: "invalid",
      hint,
      details: { memoryBytes },
    });
  if (memoryBytes < mib || memoryBytes > largestMemoryBytes)
    throw invalid(
      `a memory of ${sizeText(memoryBytes)} is too ${memoryBytes < mib ? "small" : "large"}`,
      `Give at least 1M and at most ${sizeText(largestMemoryBytes)}; --memory takes 512M, 2G or plain bytes.`,
    );
  if (memoryBytes % unit !== 0)
    throw invalid(
      `a memory of ${memoryBytes} bytes is no multiple of ${unit}`,
      `Memory comes in pages of ${hugepages ? "2 MiB" : "4 KiB"}.`,
    );
  return memoryBytes;
}

/**
 * Checks that this host is large enough for a VM.
 * @throws SilkError `TOO_MANY_CPUS`, `TOO_MUCH_MEMORY`
 */
export function checkRoomForVm({ cpus, memoryBytes }: VmConfig, { facts }: Host): void {
  if (cpus > facts.cpus)
    throw new SilkError(`${cpus} CPUs are wanted and this host has ${facts.cpus}`, {
      code: "TOO_MANY_CPUS",
      kind: "invalid",
      hint: `Ask for 1 to ${facts.cpus} CPUs with --cpus.`,
      details: { wanted: cpus, available: facts.cpus },
    });
  if (memoryBytes > facts.memoryBytes)
    throw new SilkError(
      `${sizeText(memoryBytes)} of memory is wanted and this host has ${sizeText(facts.memoryBytes)}`,
      {
        code: "TOO_MUCH_MEMORY",
        kind: "invalid",
        hint: "Ask for less with --memory.",
        details: { wantedBytes: memoryBytes, availableBytes: facts.memoryBytes },
      },
    );
}

function checkDiskSize(sizeBytes: number, what: string): number {
  if (
    sizeBytes === 0 ||
    (sizeBytes >= mib && sizeBytes <= largestDiskBytes && sizeBytes % 512 === 0)
  )
    return sizeBytes;
  throw new SilkError(`${what} cannot have a size of ${sizeText(sizeBytes)}`, {
    code: "INVALID_DISK",
    kind: "invalid",
    hint: "Give at least 1M and less than 16T, in whole sectors of 512 bytes; 0 means no disk.",
    details: { sizeBytes },
  });
}

/** A size as a person types it, down to the last byte: a size that is wrong is often wrong by a few. */
function sizeText(bytes: number): string {
  for (const [unit, letter] of [
    [tib, "T"],
    [gib, "G"],
    [mib, "M"],
  ] as const)
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${letter}`;
  if (bytes < gib) return `${bytes} bytes`;
  return `${bytes} bytes (${(bytes / gib).toFixed(1)}G)`;
}
