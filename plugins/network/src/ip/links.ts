import type { CallOptions, Host } from "@silkvm/core";
import * as v from "valibot";
import { toolFailed } from "../errors.ts";
import { tryBatch } from "./run-batch.ts";

const linkSchema = v.object({
  ifname: v.string(),
  flags: v.array(v.string()),
  mtu: v.number(),
  address: v.optional(v.string()),
  ifalias: v.optional(v.string()),
  master: v.optional(v.string()),
  linkinfo: v.optional(
    v.object({
      info_kind: v.optional(v.string()),
      info_data: v.optional(
        v.object({ type: v.optional(v.string()), multi_queue: v.optional(v.boolean()) }),
      ),
    }),
  ),
});

/** A network device, as `ip -j -d link` has it. */
export type Link = v.InferOutput<typeof linkSchema>;

/**
 * Reads what there is of some network devices, in one process whatever their number.
 * @param namespace where to look: a namespace's name; left out for the host's own
 * @returns by name; undefined where there is no such namespace, or its name is all that is left of it
 */
export async function readLinks(
  host: Host,
  names: readonly string[],
  { namespace, signal }: CallOptions & { readonly namespace?: string | undefined },
): Promise<ReadonlyMap<string, Link> | undefined> {
  const lines = names.map((name) => `link show dev ${name}`);
  const options = ["-force", "-j", "-d"];
  const result = await tryBatch(host, { program: "ip", options, lines, namespace, signal });
  if (namespace !== undefined && missingNamespace.test(result.stderr)) return undefined;
  const faults = result.stderr.split("\n").filter((text) => !harmless.test(text));
  if (faults.length > 0) throw toolFailed({ program: "ip", line: lines[0] ?? "link show", result });
  return new Map(parseLinks(result.stdout).map((link) => [link.ifname, link]));
}

const missingNamespace =
  /^Cannot open network namespace .*: No such file|^setting the network namespace .* failed: Invalid argument/m;
const harmless = /^$|^Device ".*" does not exist|^Cannot find device|^Command failed/;

/** Devices from the output of `ip -j -d`: a list on each line, with an empty object for each device that was not asked for. */
export function parseLinks(stdout: string): readonly Link[] {
  const links: Link[] = [];
  for (const line of stdout.split("\n")) {
    if (line.trim() === "") continue;
    for (const value of JSON.parse(line) as readonly object[])
      if ("ifname" in value) links.push(v.parse(linkSchema, value));
  }
  return links;
}
