import { SilkCommand } from "../../base-command.ts";
import { CliError } from "../../cli-error.ts";
import { openEngine } from "../../engine.ts";
import { findNetworks } from "../../find-networks.ts";
import { someNetworks } from "../../flags/network-args.ts";
import { inspectEach } from "../../inspect-each.ts";
import { type Network, renderNetwork } from "../../network-view.ts";

export default class NetworkInspect extends SilkCommand {
  static override summary = "show everything about networks of this host";
  static override description =
    "With --json one network is an object, several are an array in the order of the command line; what is wrong with one stands in its place as an object with `ref` and `error`. Where a bridge and a CNI network have the same name, PROVIDER:NAME tells them apart: bridge:net1, cni:net1.";
  static override usage = "<%= command.id %> NETWORK...";
  static override examples = [
    { description: "a bridge, with its ports", command: "silk network inspect br0" },
    {
      description: "the plugins of a CNI network that are not installed",
      command: "silk network inspect pods --json | jq .details.missing",
    },
  ];
  static override args = someNetworks;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(NetworkInspect);
    await using open = await openEngine(flags, this.config);
    const networks = await findNetworks(open);
    await inspectEach(
      args.network,
      flags.json,
      async (ref) => find(networks, ref),
      (network) => renderNetwork(network),
    );
  }
}

function find(networks: readonly Network[], ref: string): Network {
  const fits = ({ name, provider }: Network): boolean =>
    name === ref || `${provider}:${name}` === ref;
  const [found, other] = networks.filter(fits);
  if (found === undefined)
    throw new CliError(`there is no network ${JSON.stringify(ref)} on this host`, {
      code: "NETWORK_NOT_FOUND",
      kind: "not-found",
      hint:
        networks.length === 0
          ? "There is none: a bridge is made by `ip link add br0 type bridge`."
          : `There are ${networks.map(({ name }) => name).join(", ")}.`,
    });
  if (other === undefined) return found;
  throw new CliError(`${JSON.stringify(ref)} is a ${found.provider} and a ${other.provider}`, {
    code: "REF_AMBIGUOUS",
    kind: "conflict",
    hint: `Name it in full: ${found.provider}:${ref}, or ${other.provider}:${ref}`,
  });
}
