import { type CallOptions, type Host, SilkError } from "@silkvm/core";
import * as v from "valibot";
import type { Attachment } from "./attachment.ts";
import { hasCheck, type PluginConfig } from "./conflist.ts";
import { type CniResult, resultSchema } from "./result.ts";
import { type PluginCall, runPlugin } from "./run-plugin.ts";

/** What a network's plugins are called with. */
export interface Chain {
  readonly host: Host;
  readonly pluginDirs: readonly string[];
  readonly attachment: Attachment;
  /** Empty where the namespace is gone. */
  readonly netnsPath: string;
}

/** ADD: each plugin in turn, with the answer of the one before. What has been done when one fails is for {@link delChain} to undo. */
export async function addChain(chain: Chain, options: CallOptions): Promise<CniResult> {
  const { conflist } = chain.attachment;
  let result: CniResult | undefined;
  for (const plugin of conflist.plugins) {
    const answer = await call(chain, "ADD", plugin, result, options);
    // A plugin that is chained may say nothing of its own.
    if (answer === undefined && result !== undefined) continue;
    const parsed = v.safeParse(resultSchema, answer);
    if (!parsed.success)
      throw new SilkError(
        `the CNI plugin ${plugin.type} of the network ${conflist.name} answered what is no result: ${parsed.issues[0].message}`,
        {
          code: "CNI_FAILED",
          kind: "failed",
          hint: "The plugin does not keep to the CNI specification: see whether there is a newer one.",
          details: { plugin: plugin.type, network: conflist.name, command: "ADD" },
        },
      );
    result = parsed.output;
  }
  return result ?? {};
}

/** DEL: the last plugin first. All are called, also after one of them failed; the first failure is thrown then. */
export async function delChain(chain: Chain, options: CallOptions): Promise<void> {
  const { conflist, result } = chain.attachment;
  const failures: unknown[] = [];
  for (const plugin of conflist.plugins.toReversed()) {
    options.signal?.throwIfAborted();
    const previous = hasCheck(conflist) ? result : undefined;
    await call(chain, "DEL", plugin, previous, options).catch((error: unknown) => {
      failures.push(error);
    });
  }
  if (failures.length > 0) throw failures[0];
}

/** CHECK: whether all is as ADD left it. Says nothing of networks that have no CHECK. @throws SilkError `CNI_FAILED` */
export async function checkChain(chain: Chain, options: CallOptions): Promise<void> {
  const { conflist, result } = chain.attachment;
  if (conflist.disableCheck === true || !hasCheck(conflist)) return;
  for (const plugin of conflist.plugins) await call(chain, "CHECK", plugin, result, options);
}

function call(
  { host, pluginDirs, attachment, netnsPath }: Chain,
  command: PluginCall["command"],
  plugin: PluginConfig,
  prevResult: CniResult | undefined,
  options: CallOptions,
): Promise<unknown> {
  const { conflist, containerId, ifname, mac, ip } = attachment;
  const { capabilities, ...own } = plugin;
  const runtimeConfig = {
    ...(capabilities?.["mac"] === true && mac !== undefined ? { mac } : {}),
    ...(capabilities?.["ips"] === true && ip !== undefined ? { ips: [ip] } : {}),
  };
  const config = {
    ...own,
    cniVersion: conflist.cniVersion,
    name: conflist.name,
    ...(Object.keys(runtimeConfig).length === 0 ? {} : { runtimeConfig }),
    ...(prevResult === undefined ? {} : { prevResult }),
  };
  // host-local alone takes a bare address; others want it in other forms, or not at all.
  const plainIp = plugin.ipam?.type === "host-local" ? ip?.split("/")[0] : undefined;
  const args = [
    "IgnoreUnknown=1",
    ...(mac === undefined ? [] : [`MAC=${mac}`]),
    ...(plainIp === undefined ? [] : [`IP=${plainIp}`]),
  ].join(";");
  const { type } = plugin;
  return runPlugin(
    host,
    pluginDirs,
    { command, type, config, containerId, netnsPath, ifname, args },
    options,
  );
}
