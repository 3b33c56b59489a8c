import { toSilkError } from "../errors.ts";
import type { EngineCore } from "./core.ts";
import type { NetworkList } from "./types.ts";

/** The networks of this host that VMs can be given NICs of. One kind that cannot be looked at does not hide the others. Writes nothing. */
export async function listNetworks(
  core: EngineCore,
  signal: AbortSignal | undefined,
): Promise<NetworkList> {
  // Read for the names' sake: they hold the store's scope.
  core.read(() => undefined);
  const listed = await Promise.all(
    core.networks.map(async ({ name: provider }): Promise<NetworkList> => {
      try {
        const found = await (await core.plumbing(provider)).networks({ signal });
        return { networks: found.map((network) => ({ provider, ...network })), failed: [] };
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
