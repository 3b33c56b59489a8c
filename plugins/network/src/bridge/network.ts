import type { NetworkDefinition } from "@silkvm/core";
import { planNics } from "../plan-nics.ts";
import { attachToBridge, detachFromBridge } from "./attach.ts";
import { bridgeName, findBridge } from "./find-bridge.ts";
import { listBridges } from "./list-bridges.ts";

/** TAPs on a Linux bridge that the host has: `config.bridge` names it. */
export const bridge: NetworkDefinition = {
  name: "bridge",
  description: "TAPs on a Linux bridge of the host",
  namedBy: "bridge",
  open: async (network) => ({
    plan: async (vm, count, taken, { signal }) => {
      const name = bridgeName(vm.config);
      await findBridge(network.host, name, [], { signal });
      return planNics(network, vm, count, taken, { provider: "bridge", bridge: name });
    },
    attach: (vm, nics, context) => attachToBridge(network, vm, nics, context),
    detach: (vm, nics, context) => detachFromBridge(network, vm, nics, context),
    networks: (options = {}) => listBridges(network.host, options),
    [Symbol.asyncDispose]: async () => {},
  }),
};
