import type { CallOptions, Host } from "@silkvm/core";
import { toolFailed } from "../errors.ts";
import { type Link, readLinks } from "./links.ts";
import { tryBatch } from "./run-batch.ts";
import { isOwnTap } from "./tap.ts";

/** A TAP by its name and by what proves whose it is. */
export interface MarkedTap {
  readonly name: string;
  readonly alias: string;
}

/** Removes TAPs as far as they are there and are proved to be ours. */
export async function removeTaps(
  host: Host,
  taps: readonly MarkedTap[],
  options: CallOptions & {
    readonly namespace?: string | undefined;
    /** Spares some of them, such as those that are in use. */
    readonly spare?: ((link: Link) => boolean) | undefined;
  },
): Promise<void> {
  if (taps.length === 0) return;
  const present = async (): Promise<readonly MarkedTap[]> => {
    const links = await readLinks(host, names, options);
    return taps.filter(({ name, alias }) => {
      const link = links?.get(name);
      return link !== undefined && isOwnTap(link, alias) && options.spare?.(link) !== true;
    });
  };
  const names = taps.map(({ name }) => name);
  const found = await present();
  if (found.length === 0) return;
  const lines = deletion(host, found);
  const batch = { program: "ip", options: ["-force"], lines } as const;
  const { namespace, signal } = options;
  const result = await tryBatch(host, { ...batch, namespace, signal });
  // Somebody else may have been faster: what counts is that they are gone.
  if (result.exitCode === 0) return;
  const [left] = await present();
  if (left !== undefined)
    throw toolFailed({ program: "ip", line: `link del dev ${left.name}`, result });
}

/** Groups below are for people, who give devices small numbers. */
const lowestGroup = 2 ** 30;

/**
 * Each deletion waits until no CPU can still see the device, some 20 ms. Those of a group are waited for together: a group that
 * is drawn at random for this once.
 */
function deletion({ random }: Host, taps: readonly MarkedTap[]): readonly string[] {
  const [only, second] = taps;
  if (only !== undefined && second === undefined) return [`link del dev ${only.name}`];
  const group = lowestGroup + (Buffer.from(random.bytes(4)).readUInt32LE() % lowestGroup);
  return [
    ...taps.map(({ name }) => `link set dev ${name} group ${group}`),
    `link del group ${group}`,
  ];
}
