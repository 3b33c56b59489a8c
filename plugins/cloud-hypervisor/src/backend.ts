import {
  type BackendDefinition,
  findCapability,
  type Hypervisor,
  launchCommand,
  netResize,
  provide,
} from "@silkvm/core";
import { cloneDisks, hotDisk, preparation } from "@silkvm/storage";
import { vfio } from "@silkvm/vfio";
import { virtiofs } from "@silkvm/virtiofs";
import { addDisk } from "./add-disk.ts";
import { addFs } from "./add-fs.ts";
import { addVfio } from "./add-vfio.ts";
import { checkSnapshot } from "./check-snapshot.ts";
import { clone } from "./clone.ts";
import { console } from "./console.ts";
import { create } from "./create.ts";
import { launchCommandOf } from "./debug.ts";
import { remove } from "./delete.ts";
import { findFirmware, firmwareHint } from "./firmware.ts";
import { fitness } from "./fitness.ts";
import { hotPlugOf } from "./hot-plug.ts";
import { inspect, list } from "./inspect.ts";
import type { Machine } from "./machine.ts";
import { netResizeOf } from "./nics.ts";
import { plan } from "./plan.ts";
import { probe } from "./probe.ts";
import { recover } from "./recover.ts";
import { restore } from "./restore.ts";
import { readSettings } from "./settings.ts";
import { snapshot } from "./snapshot.ts";
import { start } from "./start.ts";
import { stop } from "./stop.ts";
import { findVmmProcesses } from "./vmm-processes.ts";

const name = "cloud-hypervisor";

/** VMs on Cloud Hypervisor: one VMM process for each, no daemon. */
export const cloudHypervisor: BackendDefinition = {
  name,
  description: "Cloud Hypervisor, one process for each VM",
  fitness,
  async open(context) {
    const { host, logger } = context;
    const settings = readSettings(context.settings);
    const places = { host, paths: context.paths };
    const machine: Machine = {
      ...places,
      logger,
      settings,
      findVmm: (vm) => findVmmProcesses(places, vm),
    };
    const provided = [
      provide(launchCommand, {
        launchCommand: (vm, options) => launchCommandOf(machine, vm, options),
        preparation: async (vm) => preparation(vm, machine.paths(vm)),
      }),
      provide(hotDisk, hotPlugOf(machine, addDisk)),
      provide(vfio, hotPlugOf(machine, addVfio(machine))),
      provide(netResize, netResizeOf(machine)),
      provide(virtiofs, hotPlugOf(machine, addFs(machine))),
    ];
    const hypervisor: Hypervisor = {
      name,
      probe: (options) =>
        probe(
          machine,
          provided.map(({ id }) => id),
          options,
        ),
      plan: (spec, call) => plan(machine, spec, call),
      create: (vm, call) => create(machine, vm, call),
      start: (vm, call) => start(machine, vm, call),
      stop: (vm, request, call) => stop(machine, vm, request, call),
      delete: (vm, call) => remove(machine, vm, call),
      inspect: (vm, options) => inspect(machine, vm, options),
      list: (vms, options) => list(machine, vms, options),
      console: (vm, options) => console(machine, vm, options),
      snapshot: (vm, request, call) => snapshot(machine, vm, request, call),
      checkSnapshot: async (source, call) => void (await checkSnapshot(machine, source, call)),
      cloneDisks: (vm, manifest) => cloneDisks(machine, vm, manifest),
      clone: (vm, request, call) => clone(machine, vm, request, call),
      restore: (vm, request, call) => restore(machine, vm, request, call),
      recover: (vm, call) => recover(machine, vm, call),
      findFirmware: (options) => findFirmware({ host, settings }, options),
      firmwareHint,
      capability: (token) => findCapability(provided, token),
      // Every client is closed by the verb that opened it.
      [Symbol.asyncDispose]: async () => {},
    };
    return hypervisor;
  },
};
