import type { CallOptions, Host } from "@silkvm/core";
import { cpio } from "./cpio.ts";
import { kernelLacks, wrongArchitecture } from "./errors.ts";
import { embeddedConfig, type KernelConfig } from "./kernel-config.ts";
import { type KernelImage, readKernelImage } from "./kernel-image.ts";
import { inLoadOrder, type LoadedModule } from "./load-order.ts";
import { type ModuleFiles, readModule } from "./module-files.ts";
import { builtInRequirements, requirements, wantedModules } from "./wanted-modules.ts";

/** A kernel with all that an initramfs has of it. */
export interface PreparedKernel {
  readonly image: KernelImage;
  readonly bytes: Buffer;
  /** A part of an initramfs: `modules/…` and their order; undefined where there are none. */
  readonly modules: Buffer | undefined;
  readonly moduleNames: readonly string[];
}

/** A kernel to look at. */
export interface KernelQuestion extends CallOptions {
  readonly bytes: Buffer;
  /** For messages: `the kernel /boot/vmlinuz-6.1.0`. */
  readonly what: string;
  /** As OCI names it. */
  readonly architecture: string;
  readonly findModules: (version: string) => Promise<ModuleFiles | undefined>;
  readonly findConfig: (version: string) => Promise<KernelConfig | undefined>;
}

/**
 * Sees whether a kernel has what it takes. One that nothing is known of but itself is believed: its guest finds out.
 * @throws SilkError `KERNEL_INVALID`, `ARCHITECTURE_MISSING`, `KERNEL_LACKS`
 */
export async function checkKernel({
  bytes,
  what,
  architecture,
  findModules,
  findConfig,
}: KernelQuestion): Promise<{
  readonly image: KernelImage;
  readonly files: ModuleFiles | undefined;
}> {
  const image = readKernelImage(bytes, what);
  if (image.architecture !== architecture)
    throw wrongArchitecture(what, image.architecture, architecture);
  const files = await findModules(image.version);
  const config = (await findConfig(image.version)) ?? embeddedConfig(bytes);
  const lacking = lackingParts(files, config);
  if (lacking.length > 0) throw kernelLacks(what, lacking);
  return { image, files };
}

/**
 * Checks a kernel, and reads the modules that it needs.
 * @param directory of the caller's own
 * @throws SilkError as {@link checkKernel}; `MODULES_INVALID`, `XZ_NOT_FOUND`
 */
export async function prepareKernel(
  host: Host,
  question: KernelQuestion,
  directory: string,
): Promise<PreparedKernel> {
  const { bytes, signal } = question;
  const { image, files } = await checkKernel(question);
  const modules =
    files === undefined
      ? []
      : await inLoadOrder(wantedModules, files, image.version, (path) => {
          signal?.throwIfAborted();
          return readModule(host, files, path, directory, { signal });
        });
  return {
    image,
    bytes,
    modules: modules.length === 0 ? undefined : packModules(modules),
    moduleNames: modules.map(({ name }) => name),
  };
}

function packModules(modules: readonly LoadedModule[]): Buffer {
  const files = modules.map(({ name, bytes: content }) => ({
    path: `modules/${name}.ko`,
    mode: 0o100644,
    content,
  }));
  const order = modules.map(({ name }) => `${name}.ko\n`).join("");
  return cpio([
    { path: "modules", mode: 0o040755 },
    ...files,
    { path: "modules.order", mode: 0o100644, content: order },
  ]);
}

/** What a kernel is known not to have. */
function lackingParts(
  files: ModuleFiles | undefined,
  config: KernelConfig | undefined,
): readonly string[] {
  const modules = requirements
    .filter(({ module, config: option }) => {
      if (files?.paths.has(module) || files?.builtIn?.has(module)) return false;
      if (config !== undefined) return config.get(option) !== "y";
      return files?.builtIn !== undefined;
    })
    .map(({ module }) => module);
  const others =
    config === undefined
      ? []
      : builtInRequirements.filter((one) => config.get(one.config) !== "y").map(({ what }) => what);
  // Without EROFS at all it is not worth a word that it would not be compressed.
  return modules.includes("erofs")
    ? [...modules, ...others.filter((what) => !what.includes("EROFS"))]
    : [...modules, ...others];
}
