import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { definePlugin, type EngineConfig, type Host } from "@silkvm/core";
import { bridge, cniNetwork } from "@silkvm/network";
import { linuxHost } from "@silkvm/sys";
import { makeSandbox, type Sandbox } from "./sandbox.ts";

/** The bridge that each of these sandboxes has. */
export const bridgeName = "br0";
/** The CNI network that each has where CNI's plugins are installed. */
export const cniName = "pods";

/** Why networks cannot be made here; undefined where they can. */
export const netMissing: string | undefined = whatIsMissing();
/** Where CNI's own plugins are; undefined where they are not installed. */
export const cniPlugins: string | undefined = ["/usr/lib/cni", "/opt/cni/bin"].find((path) =>
  ["bridge", "host-local"].every((name) => existsSync(join(path, name))),
);
if (netMissing !== undefined) console.warn(`tests of networks are skipped: ${netMissing}`);
else if (cniPlugins === undefined)
  console.warn("tests of CNI are skipped: its plugins are not installed");

function whatIsMissing(): string | undefined {
  if (process.getuid?.() !== 0) return "this is not root";
  if (!existsSync("/dev/net/tun")) return "there is no /dev/net/tun";
  const name = `silke-probe-${process.pid}`;
  const made = spawnSync("ip", ["netns", "add", name], { encoding: "utf8" });
  if (made.status !== 0) return `no network namespace can be made: ${made.stderr}`;
  const args = ["-n", name, "tuntap", "add", "dev", "probe", "mode", "tap"];
  const tap = spawnSync("ip", args, { encoding: "utf8" });
  spawnSync("ip", ["netns", "del", name]);
  return tap.status === 0 ? undefined : `no TAP can be made: ${tap.stderr}`;
}

/** A sandbox with a network of its own: a namespace with a bridge in it, in which its engines, its VMMs and its `silk` run. */
export interface NetSandbox extends Sandbox {
  /** Runs `ip` in it. */
  ip(...args: readonly string[]): string;
  /** Names of the TAPs in it and in the namespaces of its VMs, in order. */
  taps(): readonly string[];
  /** All that a VM can leave in it: links, qdiscs, namespaces, addresses that are given out, files of networks. */
  left(): unknown;
}

let count = 0;

export async function makeNetSandbox(
  chBinary: string,
  settings: Partial<EngineConfig> = {},
): Promise<NetSandbox> {
  count += 1;
  const namespace = `silke-${process.pid}-${count}`;
  const run = (command: string, ...args: readonly string[]): string =>
    execFileSync(command, args, { encoding: "utf8" });
  run("ip", "netns", "add", namespace);
  const ip = (...args: readonly string[]): string => run("ip", "-n", namespace, ...args);
  ip("link", "add", bridgeName, "address", "02:00:00:00:aa:01", "type", "bridge");
  ip("addr", "add", "10.78.0.1/24", "dev", bridgeName);
  ip("link", "set", bridgeName, "up");
  ip("link", "set", "lo", "up");
  const under = ["nsenter", `--net=/var/run/netns/${namespace}`];

  const inner = await makeSandbox(chBinary, [], settings);
  const configDir = join(inner.dir, "net.d");
  makeCni(inner.dir, configDir, ip);
  const plugin = definePlugin({
    name: "@silkvm/network",
    apiVersion: 1,
    networks: [
      bridge,
      cniNetwork({ configDirs: [configDir], pluginDirs: [cniPlugins ?? "/nonexistent"] }),
    ],
  });
  const linksIn = (name: string): readonly Link[] =>
    JSON.parse(run("ip", "-n", name, "-j", "-d", "link")) as Link[];
  /** The namespaces of its VMs. */
  const vmNamespaces = (): readonly string[] => {
    const scope = scopeOf(inner);
    const names = run("ip", "netns", "list")
      .split("\n")
      .map((line) => line.split(" ")[0] ?? "");
    return names.filter((name) => scope !== "" && name.startsWith(`silk-${scope}-`));
  };
  return {
    ...inner,
    under,
    env: { ...inner.env, NETCONFPATH: configDir, CNI_PATH: cniPlugins ?? "/nonexistent" },
    engine: (host = linuxHost()) => inner.engine(within(host, namespace, under), [plugin]),
    ip,
    taps: () =>
      [namespace, ...vmNamespaces()]
        .flatMap(linksIn)
        .filter(({ linkinfo }) => linkinfo?.info_kind === "tun")
        .map(({ ifname }) => ifname)
        .sort(),
    left: () => ({
      links: linksIn(namespace).map(({ ifname, master }) => ({ ifname, master })),
      qdiscs: (JSON.parse(run("tc", "-n", namespace, "-j", "qdisc")) as { dev: string }[]).map(
        ({ dev }) => dev,
      ),
      namespaces: vmNamespaces(),
      leases: run("find", inner.dir, "-path", "*/leases/*", "-name", "*.*.*.*"),
      files: run("find", inner.dir, "-path", "*/networks/*", "-type", "f"),
    }),
    [Symbol.asyncDispose]: async () => {
      const names = vmNamespaces();
      await inner[Symbol.asyncDispose]();
      for (const name of [...names, namespace]) run("ip", "netns", "del", name);
    },
  };
}

interface Link {
  readonly ifname: string;
  readonly master?: string;
  readonly linkinfo?: { readonly info_kind?: string };
}

/** The random word of the sandbox's root, by which its VMs' namespaces are named. */
function scopeOf({ config }: Sandbox): string {
  const { stdout } = spawnSync("ls", [config.runDir], { encoding: "utf8" });
  return stdout.split("\n").find((name) => /^[0-9a-f]{8}$/.test(name)) ?? "";
}

/** A CNI network, and the bridge that its plugin would make with the first VM and leave behind with the last. */
function makeCni(dir: string, configDir: string, ip: (...args: string[]) => string): void {
  mkdirSync(configDir);
  if (cniPlugins === undefined) return;
  ip("link", "add", "cni0", "address", "02:00:00:00:77:01", "type", "bridge");
  ip("addr", "add", "10.77.0.1/24", "dev", "cni0");
  ip("link", "set", "cni0", "up");
  const ipam = {
    type: "host-local",
    dataDir: join(dir, "leases"),
    ranges: [[{ subnet: "10.77.0.0/24" }]],
    routes: [{ dst: "0.0.0.0/0" }],
  };
  const plugins = [{ type: "bridge", bridge: "cni0", isGateway: true, ipam }];
  const text = JSON.stringify({ cniVersion: "1.0.0", name: cniName, plugins });
  writeFileSync(join(configDir, `10-${cniName}.conflist`), text);
}

/** A host whose programs and VMMs are in the namespace; files and mounts are the machine's. */
function within(host: Host, namespace: string, under: readonly string[]): Host {
  const { processes } = host;
  const [command = "", ...words] = under;
  const inside: Pick<Host["processes"], "run" | "spawn"> = {
    run: (request) =>
      processes.run({ ...request, command, args: [...words, request.command, ...request.args] }),
    spawn: (request) =>
      processes.spawn({
        ...request,
        netnsPath: request.netnsPath ?? `/var/run/netns/${namespace}`,
      }),
  };
  return {
    ...host,
    processes: Object.assign(Object.create(processes) as typeof processes, inside),
  };
}
