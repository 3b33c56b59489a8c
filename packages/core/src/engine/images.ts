import { dirname, join } from "node:path";
import { SilkError } from "../errors.ts";
import type { ImageLease } from "../image/image-source.ts";
import type { RunSpec, VmImage } from "../image/vm-image.ts";
import type { Hypervisor, OperationContext } from "../hypervisor.ts";
import type { Disk, VmRecord } from "../vm/record.ts";
import { bootsByFirmware, completeSpec } from "../vm/complete-spec.ts";
import type { DraftVmSpec, WantedImage } from "../vm/draft-spec.ts";
import type { ResolvedVmSpec } from "../vm/spec.ts";
import type { EngineCore } from "./core.ts";

/** A wanted VM with what its image brings, which nobody removes before the end of the scope. */
export interface SpecWithImage extends AsyncDisposable {
  readonly spec: ResolvedVmSpec;
}

/**
 * Completes a draft by what its image brings, where it has one.
 * @throws SilkError `IMAGES_MISSING`, `IMAGE_NOT_FOUND`, `FIRMWARE_MISSING`, `INVALID_SPEC`, what the source's `checkGuest` throws, and what getting the image may meet
 */
export async function specWithImage(
  core: EngineCore,
  draft: DraftVmSpec,
  backend: Hypervisor,
  context: OperationContext,
): Promise<SpecWithImage> {
  const { image: wanted } = draft;
  if (wanted === undefined)
    return { spec: completeSpec(draft), [Symbol.asyncDispose]: async () => {} };
  const needsKernel = draft.boot === undefined || !("kernel" in draft.boot);
  const source = await core.imageSource(wanted.name);
  if (draft.config.guest !== undefined) source.checkGuest?.(draft.config.guest);
  const lease = await source.lease(
    wanted.name,
    { pull: wanted.pull, run: runOf(wanted), needsKernel, kernel: wanted.kernel },
    context,
  );
  try {
    // Only now it is known that this user is to be made, and not one that a container has.
    if (lease.image.type === "cloudimg" && wanted.user !== undefined)
      source.checkGuest?.({ ...draft.config.guest, user: wanted.user });
    const firmwarePath = bootsByFirmware(draft, lease.image)
      ? await findFirmware(backend, lease, context)
      : undefined;
    const spec = completeSpec(draft, { image: lease.image, firmwarePath });
    return { spec, [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose]() };
  } catch (error) {
    await lease[Symbol.asyncDispose]();
    throw error;
  }
}

function runOf({ run, user }: WantedImage): RunSpec | undefined {
  return user === undefined ? run : { ...run, user: run?.user ?? user };
}

async function findFirmware(
  backend: Hypervisor,
  { image }: ImageLease,
  context: OperationContext,
): Promise<string> {
  const found = await backend.findFirmware?.(context);
  if (found !== undefined) return found;
  throw firmwareMissing(image, backend);
}

function firmwareMissing({ name }: VmImage, backend: Hypervisor): SilkError {
  return new SilkError(`the image ${name} boots by UEFI firmware, and none was found`, {
    code: "FIRMWARE_MISSING",
    kind: "unavailable",
    hint: backend.firmwareHint ?? "Name it: --firmware FILE",
    details: { image: name, backend: backend.name },
  });
}

/**
 * Makes the disk by which the guest of an image learns who it is, or makes it anew: its NICs may have others addresses by now. A VM of an image that no plugin knows
 * any more keeps the one that it has.
 */
export async function writeSeed(
  core: EngineCore,
  vm: VmRecord,
  context: OperationContext,
  { attach = false }: { readonly attach?: boolean | undefined } = {},
): Promise<void> {
  const { dataDir } = core.paths(vm);
  const { image } = vm.config;
  const hasSeed = vm.disks.some(({ role, path }) => role === "cidata" && dirname(path) === dataDir);
  if (!hasSeed || image === undefined || !core.knowsImage(image)) return;
  await (await core.imageSource(image)).writeSeed(vm, { ...context, attach });
}

/** Whether a VM's guest is told by cidata who it is, at its first boot: a clone, which is somebody else, has not been told. */
export function takesSeed(
  core: EngineCore,
  { image, imageType, windows }: VmRecord["config"],
): boolean {
  return imageType === "cloudimg" && !windows && image !== undefined && core.knowsImage(image);
}

/** The disks of a clone with cidata, where its guest takes it. */
export function withSeedDisk(
  core: EngineCore,
  vm: Pick<VmRecord, "id" | "config">,
  disks: readonly Disk[],
): readonly Disk[] {
  if (!takesSeed(core, vm.config) || disks.some(({ role }) => role === "cidata")) return disks;
  const path = join(core.paths(vm).dataDir, "cidata.img");
  return [...disks, { path, role: "cidata", readonly: true }];
}
