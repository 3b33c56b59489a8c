import type { VmConfig } from "./record.ts";

/** What `--network` names: a network, and where KIND: stands before it, of which kind of networks. */
export interface NetworkWord {
  readonly kind: string | undefined;
  /** Empty for a kind whose networks need no name. */
  readonly name: string;
}

/** `blue`, or `lan:blue`, in its parts. */
export function parseNetwork(word: string): NetworkWord {
  const colon = word.indexOf(":");
  return colon === -1
    ? { kind: undefined, name: word }
    : { kind: word.slice(0, colon), name: word.slice(colon + 1) };
}

/** The name that a network's plugin knows it by: `blue` where a VM's configuration has `blue` or `lan:blue`. For `plan` of a network plugin. */
export function networkName({ network }: Pick<VmConfig, "network">): string | undefined {
  return network === undefined ? undefined : parseNetwork(network).name;
}
