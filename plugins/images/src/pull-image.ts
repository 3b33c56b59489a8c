import { pullDisk } from "./cloudimg/pull-disk.ts";
import { imageInvalid } from "./errors.ts";
import { refuseFileName } from "./file-name.ts";
import type { ImagesContext } from "./images-context.ts";
import type { PullOptions, PullResult } from "./images-options.ts";
import { hideSecrets, isUrl, urlName } from "./names.ts";
import { familiarName, parseReference } from "./reference.ts";
import { openRegistryImage } from "./registry/registry-contents.ts";
import { diskContext, keepDisk, keepLayers } from "./keep-image.ts";

/** Gets an image from its registry, or a cloud image by its URL. */
export async function pullImage(
  context: ImagesContext,
  name: string,
  options: PullOptions,
): Promise<PullResult> {
  return isUrl(name)
    ? await pullCloudImage(context, name, options)
    : await pullFromRegistry(context, name, options);
}

async function pullFromRegistry(
  context: ImagesContext,
  name: string,
  options: PullOptions,
): Promise<PullResult> {
  const { host, http, blobs, architecture, environment } = context;
  await refuseFileName(host, name);
  const reference = parseReference(name);
  const ref = options.name === undefined ? reference.name : parseReference(options.name).name;
  await using _use = await blobs.use(options);
  const known = (await context.store.writable()).find(ref);
  const isPinned = reference.digest !== undefined || options.policy === "missing";
  if (known !== undefined && isPinned && (await blobs.hasAll(known.blobIds)))
    return { image: known, changed: false };
  options.onProgress?.({ phase: "resolving", item: familiarName(reference.name) });
  const { signal, plainHttp } = options;
  const request = { architecture, signal, plainHttp, environment };
  await using contents = await openRegistryImage(host, http, blobs, reference, request);
  return await keepLayers(context, contents, { ref, source: reference.name }, options);
}

async function pullCloudImage(
  context: ImagesContext,
  url: string,
  options: PullOptions,
): Promise<PullResult> {
  const { blobs } = context;
  const ref = options.name === undefined ? urlName(url) : parseReference(options.name).name;
  await using _use = await blobs.use(options);
  const known = (await context.store.writable()).find(ref);
  if (known !== undefined && options.policy === "missing" && (await blobs.hasAll(known.blobIds)))
    return { image: known, changed: false };
  const record = await pullDisk(diskContext(context, options), {
    url,
    ref,
    digest: options.checksum,
    known,
    plainHttp: options.plainHttp === true,
  });
  if (record !== undefined) return await keepDisk(context, record, options);
  if (known === undefined) throw imageInvalid(`${hideSecrets(url)} did not arrive`);
  return { image: known, changed: false };
}
