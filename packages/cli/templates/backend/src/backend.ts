import {
  type BackendDefinition,
  endVmm,
  findCapability,
  launchCommand,
  provide,
  withoutSnapshots,
} from "@silkvm/core";
import { openConsole } from "./console.ts";
import { makeDisks, plan } from "./disks.ts";
import { findVmm, type Machine, places, vmmCommand, vmmPath, vmmVersion } from "./machine.ts";
import { observe } from "./observe.ts";
import { start } from "./start.ts";

/** What this backend can do beyond the contract. */
const capabilities = (machine: Machine) => [
  provide(launchCommand, { launchCommand: async (vm) => vmmCommand(machine, vm) }),
];

export const backend: BackendDefinition = {
  name: "example",
  description: "a stand-in for a VMM of yours",
  async open({ host, logger, paths, settings }) {
    const machine: Machine = {
      host,
      logger,
      paths,
      findVmm: (vm) => findVmm({ host, paths }, vm),
      startTimeoutMs: Number(settings["startTimeoutMs"] ?? 60_000),
    };
    const provided = capabilities(machine);
    return {
      ...withoutSnapshots("example"),
      name: "example",
      probe: async () => ({
        path: vmmPath,
        version: vmmVersion,
        capabilities: provided.map(({ id }) => id),
        notes: [],
      }),
      plan: (spec) => plan(machine, spec),
      create: (vm) => makeDisks(machine, vm),
      start: (vm, context) => start(machine, vm, context),
      stop: async (vm, { force, graceMs }, { signal }) => {
        // SIGTERM is how this VMM's guest is asked to shut down; what does not end in time is killed.
        await endVmm(machine, vm, { graceMs: force ? 0 : graceMs, signal });
        const { console, ended } = places(machine, vm);
        for (const path of [console, ended]) await host.files.remove(path);
      },
      // The VM's directories are the engine's to remove, and there is nothing else.
      delete: async () => {},
      inspect: (vm) => observe(machine, vm),
      list: (vms) => Promise.all(vms.map((vm) => observe(machine, vm))),
      console: (vm, options) => openConsole(machine, vm, options),
      capability: (token) => findCapability(provided, token),
      [Symbol.asyncDispose]: async () => {},
    };
  },
};
