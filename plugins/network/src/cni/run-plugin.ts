import { type CallOptions, type Host, SilkError, toSilkError } from "@silkvm/core";
import { findPlugin } from "./find-plugin.ts";

/** One call of a CNI plugin. */
export interface PluginCall {
  readonly command: "ADD" | "DEL" | "CHECK";
  readonly type: string;
  /** What it reads from its standard input. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly containerId: string;
  /** Path of the network namespace; empty where it is gone. */
  readonly netnsPath: string;
  readonly ifname: string;
  /** `KEY=value;…` */
  readonly args: string;
}

/** A plugin may wait for a DHCP server, or for its turn at a lock. */
const timeoutMs = 120_000;

/**
 * Runs a plugin as the specification says: variables, a configuration on its standard input, its answer or its error on its standard output.
 * @returns what it printed; undefined where that is nothing
 * @throws SilkError `CNI_FAILED` with the plugin's own code, message and details; `CNI_PLUGIN_NOT_FOUND`
 */
export async function runPlugin(
  host: Host,
  pluginDirs: readonly string[],
  call: PluginCall,
  { signal }: CallOptions,
): Promise<unknown> {
  const path = await findPlugin(host, pluginDirs, call.type);
  const variables = {
    CNI_COMMAND: call.command,
    CNI_CONTAINERID: call.containerId,
    CNI_NETNS: call.netnsPath,
    CNI_IFNAME: call.ifname,
    CNI_ARGS: call.args,
    CNI_PATH: pluginDirs.join(":"),
  };
  const result = await host.processes
    .run({
      command: "env",
      args: [...Object.entries(variables).map(([name, value]) => `${name}=${value}`), path],
      input: JSON.stringify(call.config),
      timeoutMs,
      signal,
    })
    .catch((error: unknown) => {
      throw signal?.aborted === true
        ? error
        : toSilkError(error, `cannot run the CNI plugin ${path}`);
    });
  const answer = parse(result.stdout);
  if (result.exitCode === 0) {
    if (answer !== undefined || result.stdout.trim() === "") return answer;
    throw failed(call, { said: `its answer is no JSON: ${result.stdout.slice(0, 200)}` });
  }
  const { code, msg, details } = (answer ?? {}) as Record<string, unknown>;
  const said = [msg, details].filter((text) => typeof text === "string" && text !== "").join(": ");
  const words = said === "" ? result.stderr.trim() || `exit code ${result.exitCode}` : said;
  const given = Object.entries({ code, msg, details }).filter(([, value]) => value !== undefined);
  throw failed(call, {
    ...Object.fromEntries(given),
    said: words,
    exitCode: result.exitCode,
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failed(
  { command, type, config, ifname }: PluginCall,
  { said, ...answer }: { readonly said: string } & Readonly<Record<string, unknown>>,
): SilkError {
  const { name } = config;
  return new SilkError(
    `the CNI plugin ${type} of the network ${String(name)} failed at ${command}: ${said}`,
    {
      code: "CNI_FAILED",
      kind: "failed",
      hint: `The words are the plugin's: see its documentation, and the network's file (\`silk network inspect ${String(name)}\`).`,
      details: { plugin: type, network: name, command, ifname, ...answer },
    },
  );
}
