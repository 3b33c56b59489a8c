import { isSilkError } from "@silkvm/core";
import { type Images, type KernelInfo, openImages } from "@silkvm/images";
import type { CheckContext } from "../context.ts";
import { asRoot, installCommand } from "../distribution.ts";
import type { Check, Fix, Outcome } from "../finding.ts";
import { silentDirectory } from "../responds.ts";

const why = "Containers' images are run with it; images of VMs and kernels of your own need none.";
const importKernel = "silk image import-kernel VMLINUZ --modules DIR";

/** Whether there is a kernel that VMs of containers' images can boot, and which. */
export const containerKernel: Check = {
  id: "container-kernel",
  title: "kernel for containers",
  group: "Virtualization",
  atWorst: "warning",
  run: (context) => withImages(context, checkKernel),
};

/** Whether there is a busybox for the initramfs of containers' VMs. */
export const busybox: Check = {
  id: "busybox",
  title: "static busybox",
  group: "Programs",
  atWorst: "warning",
  run: (context) => withImages(context, checkBusybox),
};

async function withImages(
  context: CheckContext,
  check: (images: Images, context: CheckContext) => Promise<Outcome>,
): Promise<Outcome> {
  const { host, config } = context;
  // Those that were imported are there.
  const silent = await silentDirectory(context, config.rootDir);
  if (silent !== undefined) return silent;
  await using images = openImages({ host, rootDir: config.rootDir });
  return await check(images, context);
}

async function checkKernel(images: Images, context: CheckContext): Promise<Outcome> {
  const kernels = await images.listKernels({ signal: context.signal });
  const found = kernels.find(({ isDefault }) => isDefault);
  if (found !== undefined) return { status: "ok", evidence: `${found.name}, ${placeOf(found)}` };
  // The newest one is that which people think of.
  const [first] = kernels;
  return {
    status: "warning",
    evidence: first?.problem?.message ?? "there is none in /boot, and none was imported",
    why,
    fix: kernelFix(first, context),
  };
}

function placeOf({ origin, path }: KernelInfo): string {
  return origin === "host" ? `at ${path}` : "imported";
}

function kernelFix(kernel: KernelInfo | undefined, context: CheckContext): Fix {
  const { distribution, host } = context;
  if (kernel?.problem?.code === "KERNEL_UNREADABLE")
    return {
      command: asRoot(`chmod a+r ${kernel.path}`, host.facts.uid),
      description: "Let this user read it, or import it once as root (silk image import-kernel).",
      automatic: false,
    };
  const isDebian = distribution.id === "debian";
  const architecture = host.facts.arch === "arm64" ? "arm64" : "amd64";
  const name = `linux-image-cloud-${architecture}`;
  const command = isDebian ? installCommand(distribution, name, host.facts.uid) : undefined;
  return {
    ...(command === undefined ? {} : { command }),
    description: `Install a kernel with EROFS, overlayfs and virtio, or give silk one: ${importKernel}`,
    automatic: false,
  };
}

async function checkBusybox(images: Images, context: CheckContext): Promise<Outcome> {
  const { distribution, host, signal } = context;
  const kernels = await images.listKernels({ signal });
  const brought = kernels.find(({ isDefault }) => isDefault)?.record;
  if (brought?.busyboxBlobId !== undefined)
    return { status: "ok", evidence: `imported with the kernel ${brought.name}` };
  try {
    return { status: "ok", evidence: await images.findBusybox({ signal }) };
  } catch (error) {
    if (!isSilkError(error) || error.code === "ABORTED") throw error;
    const name = { apt: "busybox-static", apk: "busybox-static", other: "busybox" };
    const command = installCommand(distribution, name, host.facts.uid);
    return {
      status: "warning",
      evidence: error.message,
      why: "The VMs of containers' images begin with it, before there is anything of the image.",
      fix: {
        ...(command === undefined ? {} : { command }),
        description: `Install a static one, or bring one along: ${importKernel} --busybox FILE`,
        automatic: false,
      },
    };
  }
}
