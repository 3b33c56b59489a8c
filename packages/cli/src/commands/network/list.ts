import { boolean } from "@oclif/core/flags";
import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { findNetworks } from "../../find-networks.ts";
import { renderNetworkList } from "../../network-view.ts";
import { print, printJson, terminalWidth } from "../../output/stdout.ts";

export default class NetworkListCommand extends SilkCommand {
  static override aliases = ["network ls"];
  static override summary =
    "list the networks of this host: bridges, CNI networks, and those of plugins";
  static override description =
    "FLAG puts a VM into it, with `silk vm run`, `create` or `clone`. CNI networks are the files in /etc/cni/net.d, or in the directories that NETCONFPATH names.";
  static override examples = [
    { description: "all of them", command: "silk network list" },
    {
      description: "a VM on the first bridge",
      command: `silk vm run --kernel vmlinux --bridge "$(silk network list --json | jq -r 'map(.spec.bridge // empty)[0]')"`,
    },
  ];
  static override flags = { quiet: boolean({ char: "q", description: "print names only" }) };

  async run(): Promise<void> {
    const { flags } = await this.parse(NetworkListCommand);
    const { json, quiet } = flags;
    await using open = await openEngine(flags, this.config);
    const networks = await findNetworks(open);
    const names = networks.map(({ name }) => name);
    if (json) printJson(quiet ? names : networks);
    else if (quiet) print(names.map((name) => `${name}\n`).join(""));
    else print(renderNetworkList(networks, terminalWidth()));
    if (networks.length === 0)
      open.note(
        "This host has no bridge and no CNI network. A bridge: ip link add br0 type bridge && ip link set br0 up",
      );
  }
}
