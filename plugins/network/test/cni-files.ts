import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NetworkDefinition } from "@silkvm/core";
import { cniNetwork } from "../src/index.ts";
import { cniPlugins, type Sandbox } from "./sandbox.ts";

/** CNI in directories of a test's own, beside the plugins of the machine. */
export function cniOf(sandbox: Sandbox): NetworkDefinition {
  const { configDir, pluginDir } = directoriesOf(sandbox);
  return cniNetwork({
    configDirs: [configDir],
    pluginDirs: [pluginDir, cniPlugins ?? "/nonexistent"],
  });
}

export function directoriesOf({ directory }: Sandbox): {
  readonly configDir: string;
  readonly pluginDir: string;
} {
  const configDir = join(directory, "net.d");
  const pluginDir = join(directory, "plugins");
  mkdirSync(configDir, { recursive: true });
  mkdirSync(pluginDir, { recursive: true });
  return { configDir, pluginDir };
}

/** A bridge with addresses, as a host of containers has it. */
export function bridgePlugin(sandbox: Sandbox): Record<string, unknown> {
  return {
    type: "bridge",
    bridge: "cni0",
    isGateway: true,
    mtu: 1380,
    ipam: {
      type: "host-local",
      dataDir: join(sandbox.directory, "leases"),
      ranges: [[{ subnet: "10.77.0.0/24" }]],
      routes: [{ dst: "0.0.0.0/0" }],
    },
  };
}

/**
 * The bridge that the plugin would make with the first VM and leave behind with the last, with a MAC that does not change with its ports:
 * CHECK would find fault with that.
 */
export function makeCniBridge(sandbox: Sandbox): void {
  sandbox.ip("link", "add", "cni0", "address", "02:00:00:00:77:01", "type", "bridge");
  sandbox.ip("addr", "add", "10.77.0.1/24", "dev", "cni0");
  sandbox.ip("link", "set", "cni0", "up", "mtu", "1380");
}

/** Writes a network's file. */
export function writeConflist(
  sandbox: Sandbox,
  name: string,
  plugins: readonly Record<string, unknown>[],
  cniVersion = "1.0.0",
): void {
  const path = join(directoriesOf(sandbox).configDir, `10-${name}.conflist`);
  writeFileSync(path, JSON.stringify({ cniVersion, name, plugins }));
}

/** Writes a plugin: a script that has read its configuration into CONFIG. */
export function writePlugin(sandbox: Sandbox, type: string, script: string): void {
  const path = join(directoriesOf(sandbox).pluginDir, type);
  writeFileSync(path, `#!/bin/sh\nCONFIG=$(cat)\n${script}\n`);
  chmodSync(path, 0o755);
}
