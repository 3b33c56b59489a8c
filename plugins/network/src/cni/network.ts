import type { NetworkDefinition } from "@silkvm/core";
import { namespaceName, namespacePath } from "../names.ts";
import { planNics } from "../plan-nics.ts";
import { attachToCni } from "./attach.ts";
import { programsOf } from "./conflist.ts";
import type { CniContext } from "./context.ts";
import { detachFromCni } from "./detach.ts";
import { cniDirectories, type CniOptions } from "./directories.ts";
import { findConflist } from "./find-conflists.ts";
import { findPlugin } from "./find-plugin.ts";
import { listNetworks } from "./list-networks.ts";

/** CNI networks, with files and plugins in other places than the usual ones. */
export function cniNetwork(options: CniOptions): NetworkDefinition {
  return {
    name: "cni",
    description: "networks of the Container Network Interface (CNI)",
    namedBy: "network",
    open: async (network) => {
      const cni: CniContext = { network, ...cniDirectories(options, process.env) };
      return {
        plan: async (vm, count, taken) => {
          const conflist = await findConflist(network.host, cni.configDirs, vm.config.network);
          for (const type of programsOf(conflist))
            await findPlugin(network.host, cni.pluginDirs, type);
          const netnsPath = namespacePath(namespaceName({ scope: network.scope, vmId: vm.id }));
          return planNics(network, vm, count, taken, {
            provider: "cni",
            network: conflist.name,
            netnsPath,
          });
        },
        attach: (vm, nics, context) => attachToCni(cni, vm, nics, context),
        detach: (vm, nics, context) => detachFromCni(cni, vm, nics, context),
        networks: () => listNetworks(cni),
        [Symbol.asyncDispose]: async () => {},
      };
    },
  };
}

/** CNI networks of the host: `config.network` names one. */
export const cni: NetworkDefinition = cniNetwork({});
