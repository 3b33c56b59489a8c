import { SilkError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { BackendDefinition, Fitness } from "../hypervisor.ts";
import type { EngineConfig } from "../config/schema.ts";

/** Leaves it to silk which backend a VM gets that names none. */
export const automaticBackend = "auto";

/** The backend of VMs that name none. */
export interface BackendChoice {
  readonly name: string;
  /** Why it is that one, and, where it is not the first, what speaks against those before it. */
  readonly reason: string;
  /** Whether it stands in for one that comes before it and cannot run VMs here. */
  readonly isSubstitute: boolean;
}

/** What is not known of a backend is for it. */
const unknown: Fitness = { isChosen: false, isUsable: true, reason: "nothing speaks against it" };

/**
 * Chooses the backend of VMs that name none: the one that the settings name; else the first whose VMM they name; else the first that can run VMs here, in
 * the order of the plugins; else the first.
 * @throws SilkError `BACKEND_UNKNOWN` where there is none at all
 */
export async function chooseBackend(
  host: Host,
  config: EngineConfig,
  backends: readonly BackendDefinition[],
): Promise<BackendChoice> {
  if (config.backend !== automaticBackend)
    return { name: config.backend, reason: "the setting backend says so", isSubstitute: false };
  const [first] = backends;
  if (first === undefined)
    throw new SilkError("no plugin brings a backend", {
      code: "BACKEND_UNKNOWN",
      kind: "unsupported",
      hint: "Install one: silk plugins install NAME",
      details: { known: [] },
    });
  const looked: { readonly name: string; readonly fitness: Fitness }[] = [];
  for (const backend of backends) {
    const { name } = backend;
    const found = (await backend.fitness?.({ host, settings: { ...config } })) ?? unknown;
    if (found.isChosen) return { name, reason: found.reason, isSubstitute: false };
    looked.push({ name, fitness: found });
  }
  const index = looked.findIndex((one) => one.fitness.isUsable);
  const { name, fitness } = looked[Math.max(index, 0)] as (typeof looked)[number];
  if (index <= 0) return { name, reason: fitness.reason, isSubstitute: false };
  const against = looked.slice(0, index).map((one) => `${one.name} cannot: ${one.fitness.reason}`);
  return { name, reason: [fitness.reason, ...against].join("; "), isSubstitute: true };
}
