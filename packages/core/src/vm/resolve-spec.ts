import { resolve } from "node:path";
import { SilkError } from "../errors.ts";
import type { Host } from "../host.ts";
import { validate } from "../validate.ts";
import { completeSpec } from "./complete-spec.ts";
import { resolveDataDisks } from "./data-disks.ts";
import { type DraftVmSpec, invalidSpec } from "./draft-spec.ts";
import { checkName, randomId } from "./names.ts";
import { resolveNics } from "./nics.ts";
import type { VmConfig } from "./record.ts";
import { checkDiskSize, checkMemory, gib, ownDisk, sizeText } from "./sizes.ts";
import { vmSpecSchema } from "./spec-schema.ts";
import type { BootSpec, ResolvedVmSpec, VmSpec } from "./spec.ts";

/**
 * Fills in the defaults of a spec that names no image, and checks it against the rules and the host.
 * @throws SilkError `INVALID_SPEC`, `INVALID_NAME`, `TOO_MANY_CPUS`, `TOO_MUCH_MEMORY`
 */
export function resolveSpec(
  input: VmSpec,
  host: Host,
  defaults: { readonly backend: string; readonly cwd: string },
): ResolvedVmSpec {
  return completeSpec(draftSpec(input, host, defaults));
}

/**
 * Checks all of a spec that does not depend on its image, and fills in the defaults that do not.
 * @throws SilkError `INVALID_SPEC`, `INVALID_NAME`, `TOO_MANY_CPUS`, `TOO_MUCH_MEMORY`
 */
export function draftSpec(
  input: VmSpec,
  host: Host,
  defaults: { readonly backend: string; readonly cwd: string },
): DraftVmSpec {
  const spec = validate(vmSpecSchema, input, "INVALID_SPEC", "the VM's spec");
  const id = spec.id === undefined ? randomId(host) : checkName(spec.id, "id");
  const { image, pull = "missing", run, user, imageKernel: kernel, storageBytes } = spec;
  if (image === undefined) refuseWithoutImage(spec);
  if (kernel !== undefined && hasOwnBoot(spec))
    throw invalidSpec(
      "a kernel of the image source's is named, and another one, or a firmware, to boot in its place",
      "Leave out --image-kernel, or --kernel and --firmware.",
    );
  const cpus = spec.cpus ?? Math.min(2, host.facts.cpus);
  const config: DraftVmSpec["config"] = {
    cpus,
    memoryBytes: checkMemory(spec.memoryBytes ?? gib, spec.hugepages ?? false),
    netQueueSize: spec.netQueueSize ?? 0,
    diskQueueSize: spec.diskQueueSize ?? 0,
    noDirectIo: spec.noDirectIo ?? false,
    windows: spec.windows ?? false,
    sharedMemory: spec.sharedMemory ?? false,
    hugepages: spec.hugepages ?? false,
    ...(spec.bridge === undefined ? {} : { bridge: spec.bridge }),
    ...(spec.network === undefined ? {} : { network: spec.network }),
    ...(spec.dns === undefined ? {} : { dns: spec.dns }),
    ...(spec.guest === undefined ? {} : { guest: spec.guest }),
  };
  if ((config.guest ?? user) !== undefined && config.windows)
    throw invalidSpec(
      "Windows takes no user, SSH keys or user-data from silk",
      "Leave --user, --ssh-key and --user-data out.",
    );
  checkRoomForVm(config, host);
  if (storageBytes !== undefined) checkDiskSize(storageBytes, ownDisk);
  return {
    id,
    name: spec.name === undefined ? `vm-${id.slice(0, 59)}` : checkName(spec.name, "name"),
    backend: spec.backend ?? defaults.backend,
    config,
    storageBytes,
    boot: spec.boot === undefined ? undefined : absoluteBoot(spec.boot, defaults.cwd),
    image: image === undefined ? undefined : { name: image, pull, run, user, kernel },
    disks: (input.disks ?? []).map((disk) => ({ ...disk, path: resolve(defaults.cwd, disk.path) })),
    dataDisks: resolveDataDisks(input, checkDiskSize),
    ...resolveNics(spec),
    labels: spec.labels ?? {},
  };
}

function hasOwnBoot({ boot }: VmSpec): boolean {
  return boot !== undefined && ("firmware" in boot || boot.kernel !== undefined);
}

function refuseWithoutImage(spec: VmSpec): void {
  const { guest, user, run, pull, imageKernel } = spec;
  const [extra] =
    Object.entries({ guest, user, run, pull, imageKernel }).find(
      ([, value]) => value !== undefined,
    ) ?? [];
  if (extra !== undefined)
    throw invalidSpec(
      `"${extra}" is for VMs of images, and this one names none`,
      "Name an image, too.",
    );
  if (!hasOwnBoot(spec))
    throw invalidSpec(
      "a VM needs something to boot",
      "Name an image, a kernel (--kernel FILE) or a firmware (--firmware FILE).",
    );
}

function absoluteBoot(boot: BootSpec, cwd: string): BootSpec {
  if ("firmware" in boot) return { firmware: resolve(cwd, boot.firmware) };
  const { kernel, initrd, cmdline } = boot;
  return {
    ...(kernel === undefined ? {} : { kernel: resolve(cwd, kernel) }),
    ...(initrd === undefined ? {} : { initrd: resolve(cwd, initrd) }),
    ...(cmdline === undefined ? {} : { cmdline }),
  };
}

/**
 * Checks that this host is large enough for a VM.
 * @throws SilkError `TOO_MANY_CPUS`, `TOO_MUCH_MEMORY`
 */
export function checkRoomForVm(
  { cpus, memoryBytes }: Pick<VmConfig, "cpus" | "memoryBytes">,
  { facts }: Host,
): void {
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
