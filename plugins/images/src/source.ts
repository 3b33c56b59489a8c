import {
  type ImageGarbage,
  type ImageLease,
  type ImageSource,
  type ImageSourceContext,
  type ImageSourceDefinition,
  isSilkError,
  type LeaseRequest,
  type OperationContext,
  type VmRecord,
} from "@silkvm/core";
import { checkGuestConfig, hostnameOf } from "./cidata/seed.ts";
import { writeCidata } from "./cidata/write-cidata.ts";
import { type Images, openImages } from "./images.ts";
import { progressText } from "./progress-text.ts";

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
    writeSeed: (vm, { signal }) => {
      signal?.throwIfAborted();
      return writeCidataOf(vm, (path, seed) => writeCidata(host, path, seed));
    },
    blobPath: (blobId) => images.blobPath(blobId),
    collectGarbage: ({ dryRun }, context) => collectGarbage(images, dryRun, context),
    [Symbol.asyncDispose]: () => images[Symbol.asyncDispose](),
  };
}

async function lease(
  images: Images,
  name: string,
  { pull }: LeaseRequest,
  { signal, progress, warn }: OperationContext,
): Promise<ImageLease> {
  if (pull !== "never" && (pull === "always" || !isHere(images, name)))
    await images.pull(name, {
      policy: pull,
      signal,
      onWarning: warn,
      onProgress: (event) => progress(progressText(name, event)),
    });
  const { image, lease: held } = await images.lease(name, { signal });
  return { image, [Symbol.asyncDispose]: () => held.release() };
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

async function writeCidataOf(
  vm: VmRecord,
  write: (path: string, seed: Parameters<typeof writeCidata>[2]) => Promise<void>,
): Promise<void> {
  const path = vm.disks.find(({ role }) => role === "cidata")?.path;
  if (path === undefined) return;
  const { guest, dns } = vm.config;
  const { nics, disks } = vm;
  await write(path, {
    instanceId: vm.id,
    hostname: hostnameOf(vm.name),
    ...guest,
    nics,
    dns,
    disks,
  });
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
