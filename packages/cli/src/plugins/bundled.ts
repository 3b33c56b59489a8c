import type { BackendDefinition, NetworkDefinition, PluginDefinition } from "@silkvm/core";

/**
 * The plugins that come with silk. Their packages are loaded when a VM, a device or a network of theirs is first met: a list of VMs needs none of them.
 */
export const bundledPlugins: readonly PluginDefinition[] = [
  {
    name: "@silkvm/cloud-hypervisor",
    apiVersion: 1,
    backends: [
      lazyBackend("cloud-hypervisor", "Cloud Hypervisor, one process for each VM", async () => {
        const { default: plugin } = await import("@silkvm/cloud-hypervisor");
        return plugin;
      }),
    ],
    devices: [
      { name: "disk", load: async () => (await import("@silkvm/storage")).diskKind },
      { name: "virtiofs", load: async () => (await import("@silkvm/virtiofs")).virtiofsKind },
      { name: "vfio", load: async () => (await import("@silkvm/vfio")).vfioKind },
    ],
  },
  {
    name: "@silkvm/qemu",
    apiVersion: 1,
    backends: [
      lazyBackend("qemu", "QEMU, one process for each VM, with KVM or without", async () => {
        const { default: plugin } = await import("@silkvm/qemu");
        return plugin;
      }),
    ],
  },
  {
    name: "@silkvm/images",
    apiVersion: 1,
    images: [
      {
        name: "images",
        description: "OCI images, and cloud images by their URL",
        open: async (context) => (await import("@silkvm/images")).imageSource.open(context),
      },
    ],
  },
  {
    name: "@silkvm/network",
    apiVersion: 1,
    networks: [
      lazyNetwork({
        name: "bridge",
        description: "TAPs on a Linux bridge of the host",
        namedBy: "bridge",
      }),
      lazyNetwork({
        name: "cni",
        description: "networks of the Container Network Interface (CNI)",
        namedBy: "network",
      }),
    ],
  },
];

function lazyNetwork(told: Omit<NetworkDefinition, "open">): NetworkDefinition {
  return {
    ...told,
    open: async (context) => {
      const { default: plugin } = await import("@silkvm/network");
      const network = plugin.networks?.find(({ name }) => name === told.name);
      if (network === undefined) throw new Error(`${plugin.name} brings no network "${told.name}"`);
      return await network.open(context);
    },
  };
}

function lazyBackend(
  name: string,
  description: string,
  load: () => Promise<PluginDefinition>,
): BackendDefinition {
  const find = async (): Promise<BackendDefinition> => {
    const plugin = await load();
    const backend = plugin.backends?.find((definition) => definition.name === name);
    if (backend === undefined) throw new Error(`${plugin.name} brings no backend "${name}"`);
    return backend;
  };
  return {
    name,
    description,
    open: async (context) => await (await find()).open(context),
    fitness: async (context) => await (await find()).fitness?.(context),
  };
}
