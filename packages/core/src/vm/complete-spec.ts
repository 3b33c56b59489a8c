import type { VmImage } from "../image/vm-image.ts";
import { type DraftVmSpec, invalidSpec } from "./draft-spec.ts";
import type { Boot } from "./record.ts";
import { checkDiskSize, gib, ownDisk, sizeText } from "./sizes.ts";
import type { BootSpec, ResolvedVmSpec } from "./spec.ts";

/** What an image brings to a spec, and the firmware for one that boots so. */
export interface ImageParts {
  readonly image: VmImage;
  readonly firmwarePath?: string | undefined;
}

/** Whether a VM of an image boots by a firmware that the spec does not name. */
export function bootsByFirmware({ boot }: DraftVmSpec, image: VmImage): boolean {
  return image.type === "cloudimg" && boot === undefined;
}

/**
 * Fills in what depends on the image, or on there being none.
 * @throws SilkError `INVALID_SPEC`, `INVALID_DISK`
 */
export function completeSpec(
  { storageBytes: wanted, image: asked, boot: given, ...rest }: DraftVmSpec,
  parts?: ImageParts,
): ResolvedVmSpec {
  const image = parts?.image;
  const draft = image?.type === "cloudimg" ? withUser(rest, asked?.user) : rest;
  const boot = image === undefined ? ownBoot(given) : imageBoot(given, image, parts?.firmwarePath);
  const storageBytes = storageOf(wanted, boot, image);
  if (image === undefined) return { ...draft, boot, config: { ...draft.config, storageBytes } };
  checkSuits(draft, asked, image);
  const { name, digest, type, run, kernelName } = image;
  return {
    ...draft,
    boot,
    image,
    config: {
      ...draft.config,
      storageBytes,
      image: name,
      imageDigest: digest,
      imageType: type,
      ...(kernelName === undefined ? {} : { imageKernel: kernelName }),
      ...(run === undefined ? {} : { run }),
    },
  };
}

function storageOf(wanted: number | undefined, boot: Boot, image: VmImage | undefined): number {
  const least = image?.disk?.virtualSizeBytes ?? 0;
  const bytes = wanted ?? (least > 0 ? least : boot.kind === "direct" ? 10 * gib : 0);
  if (bytes < least)
    throw invalidSpec(
      `a disk of ${sizeText(bytes)} is too small for the image ${image?.name}, which has ${sizeText(least)}`,
      `Ask for at least ${sizeText(least)} with --storage, or leave it out.`,
      "INVALID_DISK",
    );
  if (bytes === 0 && image !== undefined)
    throw invalidSpec(
      `a VM of the image ${image.name} needs a disk of its own`,
      "Give --storage a size, or leave it out.",
      "INVALID_DISK",
    );
  return checkDiskSize(bytes, ownDisk);
}

/** A user of a cloud image's guest is one that cidata has it make. */
function withUser<D extends Pick<DraftVmSpec, "config">>(draft: D, user: string | undefined): D {
  if (user === undefined) return draft;
  return { ...draft, config: { ...draft.config, guest: { user, ...draft.config.guest } } };
}

/** What is said to the guest must reach it. */
function checkSuits(
  { config, dataDisks }: Pick<DraftVmSpec, "config" | "dataDisks">,
  asked: DraftVmSpec["image"],
  image: VmImage,
): void {
  if (config.guest !== undefined && image.type !== "cloudimg")
    throw invalidSpec(
      `the image ${image.name} is no cloud image: it takes no SSH keys and no user-data`,
      "Leave --ssh-key and --user-data out.",
    );
  if (asked?.user !== undefined && image.type === "oci-vm")
    throw invalidSpec(
      `the image ${image.name} boots as it was made to: it takes no user`,
      "Leave --user out.",
    );
  if (asked?.kernel !== undefined && image.type !== "oci-container")
    throw invalidSpec(
      `the image ${image.name} is no container's: the kernels of \`silk image kernels\` are not for it`,
      "Leave --image-kernel out.",
    );
  if (asked?.run !== undefined && image.run === undefined)
    throw invalidSpec(
      `the image ${image.name} is no container's: it boots as it was made to, and takes no command, environment, volumes or terminal`,
      "Leave out what is behind IMAGE; flags of silk stand in front of it: silk vm run [FLAGS] IMAGE",
    );
  if (image.run !== undefined && dataDisks.some(({ name }) => name.startsWith("silk-")))
    throw invalidSpec(
      'names of data disks that begin with "silk-" are silk\'s own',
      "Give another name=…",
    );
}

function ownBoot(boot: BootSpec | undefined): Boot {
  if (boot !== undefined && "firmware" in boot)
    return { kind: "firmware", firmwarePath: boot.firmware };
  if (boot?.kernel === undefined) throw new TypeError("a draft without an image names its kernel");
  return {
    kind: "direct",
    kernelPath: boot.kernel,
    ...(boot.initrd === undefined ? {} : { initrdPath: boot.initrd }),
    cmdline: boot.cmdline ?? "console=hvc0",
  };
}

function imageBoot(
  boot: BootSpec | undefined,
  image: VmImage,
  firmwarePath: string | undefined,
): Boot {
  if (image.type === "cloudimg") {
    if (boot !== undefined && !("firmware" in boot) && boot.kernel === undefined)
      throw invalidSpec(
        `the image ${image.name} boots by firmware, which takes no initrd and no cmdline`,
        "Leave them out, or name a kernel, too: --kernel FILE",
      );
    return ownBoot(firmwarePath === undefined ? boot : { firmware: firmwarePath });
  }
  if (boot !== undefined && "firmware" in boot)
    throw invalidSpec(
      `the image ${image.name} boots a kernel, not by firmware`,
      "Leave --firmware out.",
    );
  if (image.type === "oci-container" && boot?.kernel !== undefined && boot.initrd === undefined)
    throw invalidSpec(
      `the image ${image.name} boots with an initramfs that silk makes for a kernel and its modules, and not with a kernel alone`,
      "Let silk have yours, and name it: silk image import-kernel FILE --name NAME, then --image-kernel NAME",
    );
  const kernelPath = boot?.kernel ?? image.kernelPath;
  if (kernelPath === undefined)
    throw invalidSpec(`the image ${image.name} has no kernel`, "Name one: --kernel FILE");
  // An initrd is of no use to another kernel than its own.
  const initrdPath = boot?.initrd ?? (boot?.kernel === undefined ? image.initrdPath : undefined);
  return {
    kind: "direct",
    kernelPath,
    ...(initrdPath === undefined ? {} : { initrdPath }),
    layered: true,
    cmdline: boot?.cmdline ?? "",
  };
}
