import {
  type ContainerRun,
  type Host,
  type ImageGarbage,
  type ImageLease,
  type ImageSource,
  type ImageSourceContext,
  type ImageSourceDefinition,
  isSilkError,
  type LeaseRequest,
  type OperationContext,
  type VmImage,
  type VmRecord,
} from "@silkvm/core";
import { checkGuestConfig, hostnameOf } from "./cidata/seed.ts";
import { writeCidata } from "./cidata/write-cidata.ts";
import { type Images, openImages } from "./images.ts";
import { containerRun } from "./kit/container-run.ts";
import { clearExitStatus, readExitStatus } from "./kit/exit-status.ts";
import { runDiskContent } from "./kit/run-disk.ts";
import { progressText } from "./progress-text.ts";
import type { ImageRunConfig } from "./store/image-record.ts";

/** Of the disk to which a container's VM writes how its program ended. */
const exitSerial = "silk-exit";

const noRunConfig: ImageRunConfig = {
  entrypoint: [],
  cmd: [],
  env: [],
  user: "",
  workingDir: "",
  labels: {},
};

/** Images of registries, archives and URLs, as an engine gets them. */
export const imageSource: ImageSourceDefinition = {
  name: "images",
  description: "OCI images, and cloud images by their URL",
  open: async (context) => openSource(context),
};

function openSource({ host, rootDir, logger, references }: ImageSourceContext): ImageSource {
  const images = openImages({ host, rootDir, logger, references });
  return {
    checkGuest: checkGuestConfig,
    lease: (name, request, context) => lease(images, name, request, context),
    writeSeed: async (vm, { signal, attach }) => {
      signal?.throwIfAborted();
      if (vm.config.run === undefined) await writeCidataOf(vm, host);
      else await writeRunDisk(host, vm, vm.config.run, attach);
    },
    readExit: async (vm) => {
      const path = exitDiskOf(vm);
      return path === undefined ? undefined : await readExitStatus(host, path);
    },
    blobPath: (blobId) => images.blobPath(blobId),
    collectGarbage: ({ dryRun }, context) => collectGarbage(images, dryRun, context),
    [Symbol.asyncDispose]: () => images[Symbol.asyncDispose](),
  };
}

async function lease(
  images: Images,
  name: string,
  { pull, run, needsKernel, kernel }: LeaseRequest,
  { signal, progress, warn }: OperationContext,
): Promise<ImageLease> {
  if (pull !== "never" && (pull === "always" || !isHere(images, name)))
    await images.pull(name, {
      policy: pull,
      signal,
      onWarning: warn,
      onProgress: (event) => progress(progressText(name, event)),
    });
  const { image, record, lease: held } = await images.lease(name, { signal });
  try {
    const whole =
      image.type === "oci-container"
        ? await withBoot(images, image, { config: record.run, run, needsKernel, kernel, signal })
        : image;
    return { image: whole, [Symbol.asyncDispose]: () => held.release() };
  } catch (error) {
    await held.release();
    throw error;
  }
}

/** A container's image with what it lacks: a kernel, an initramfs, and what exactly is run. The caller holds a lease. */
async function withBoot(
  images: Images,
  image: VmImage,
  {
    config = noRunConfig,
    run,
    needsKernel,
    kernel,
    signal,
  }: Pick<LeaseRequest, "run" | "needsKernel" | "kernel"> & {
    readonly config: ImageRunConfig | undefined;
    readonly signal: AbortSignal | undefined;
  },
): Promise<VmImage> {
  const runs = { ...image, run: containerRun(config, run) };
  if (!needsKernel) return runs;
  const { kernelPath, initrdPath, kernelName, blobIds } = await images.kit({ kernel, signal });
  return { ...runs, kernelPath, initrdPath, kernelName, blobIds: [...image.blobIds, ...blobIds] };
}

function isHere(images: Images, name: string): boolean {
  try {
    images.inspect(name);
    return true;
  } catch (error) {
    if (isSilkError(error) && error.code === "IMAGE_NOT_FOUND") return false;
    throw error;
  }
}

async function writeCidataOf(vm: VmRecord, host: Host): Promise<void> {
  const path = vm.disks.find(({ role }) => role === "cidata")?.path;
  if (path === undefined) return;
  const { guest, dns } = vm.config;
  const { nics, disks } = vm;
  await writeCidata(host, path, {
    instanceId: vm.id,
    hostname: hostnameOf(vm.name),
    ...guest,
    nics,
    dns,
    disks,
  });
}

/** What a container's VM is to run, and who it is. */
async function writeRunDisk(
  host: Host,
  vm: VmRecord,
  run: ContainerRun,
  attach: boolean,
): Promise<void> {
  const path = vm.disks.find(({ role }) => role === "cidata")?.path;
  if (path === undefined) return;
  const content = runDiskContent(run, { hostname: hostnameOf(vm.name), attach });
  // What it runs may have secrets among its variables.
  await host.files.writeAtomic(path, content, { mode: 0o600 });
  const exitPath = exitDiskOf(vm);
  if (exitPath !== undefined) await clearExitStatus(host, exitPath);
}

function exitDiskOf({ disks }: VmRecord): string | undefined {
  return disks.find(({ serial }) => serial === exitSerial)?.path;
}

/** Whoever pulls just now may be about to need what looks like garbage: it stays until the next time. */
async function collectGarbage(
  images: Images,
  dryRun: boolean,
  { signal, warn }: OperationContext,
): Promise<readonly ImageGarbage[]> {
  if (dryRun) return (await images.planGarbage()).garbage;
  try {
    return await images.collectGarbage({ signal, waitMs: 0 });
  } catch (error) {
    if (!isSilkError(error) || error.code !== "IMAGES_BUSY") throw error;
    warn(
      "images are in use by another silk just now: what nothing needs of them stays for the next time",
    );
    return [];
  }
}
