import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { definePlugin, type Nic, type PluginDefinition, type Plumbing } from "@silkvm/core";

/** Whether TAPs can be made here. */
export const canMakeTaps: boolean = process.getuid?.() === 0 && opensTun();

/** A network whose TAPs are made by the VMM, and go with it. */
export function vmmMadeTaps(): PluginDefinition {
  let count = 0;
  const plumbing: Plumbing = {
    plan: async ({ config }, wanted) =>
      Array.from({ length: wanted }, (): Nic => {
        const number = ++count;
        return {
          tap: `chs${process.pid}n${number}`,
          mac: `52:54:00:00:00:${number.toString(16).padStart(2, "0")}`,
          queues: 2 * config.cpus,
          queueSize: 0,
          provider: "vmm-made",
        };
      }),
    attach: async (_vm, nics) => nics,
    detach: async () => {},
    networks: async () => [],
    [Symbol.asyncDispose]: async () => {},
  };
  return definePlugin({
    name: "vmm-made",
    apiVersion: 1,
    networks: [
      { name: "vmm-made", description: "TAPs of the VMM's own", open: async () => plumbing },
    ],
  });
}

/** Names of the network devices of this machine. */
export function networkDevices(): readonly string[] {
  const listed = JSON.parse(execFileSync("ip", ["-json", "link"], { encoding: "utf8" })) as {
    readonly ifname: string;
  }[];
  return listed.map(({ ifname }) => ifname);
}

function opensTun(): boolean {
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
