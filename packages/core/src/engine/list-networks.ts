import { toSilkError } from "../errors.ts";
import type { EngineCore } from "./core.ts";
import { wordsFor } from "./network-of.ts";
import type { NetworkList } from "./types.ts";

/** The networks of this host that VMs can be given NICs of. One kind that cannot be looked at does not hide the others. Writes nothing. */
export async function listNetworks(
  core: EngineCore,
  signal: AbortSignal | undefined,
): Promise<NetworkList> {
  // Read for the names' sake: they hold the store's scope.
  core.read(() => undefined);
  const listed = await Promise.all(
    core.networks.map(async (kind): Promise<NetworkList> => {
      const provider = kind.name;
      try {
        const found = await (await core.plumbing(provider)).networks({ signal });
        const networks = found.map((network) => {
          return { provider, ...network, spec: wordsFor(core.networks, kind, network.name) };
        });
        return { networks, failed: [] };
      } catch (error) {
        signal?.throwIfAborted();
        return { networks: [], failed: [{ provider, error: toSilkError(error) }] };
      }
    }),
  );
  return {
    networks: listed.flatMap(({ networks }) => networks),
    failed: listed.flatMap(({ failed }) => failed),
  };
}
