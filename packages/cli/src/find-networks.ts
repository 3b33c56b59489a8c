import type { NetworkList } from "@silkvm/core";
import type { OpenEngine } from "./engine.ts";
import { warn } from "./output/stderr.ts";

/**
 * The networks of this host. A kind of networks that cannot be looked at is a warning; where there are no others, its failure is the command's.
 */
export async function findNetworks(open: OpenEngine): Promise<NetworkList["networks"]> {
  const { networks, failed } = await open.engine.networks(open.call());
  const [first] = failed;
  if (first !== undefined && networks.length === 0) throw first.error;
  for (const { provider, error } of failed)
    warn(`networks of the kind "${provider}" cannot be listed: ${error.message}`);
  return networks;
}
