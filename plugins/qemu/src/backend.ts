import {
  type BackendDefinition,
  findCapability,
  type Hypervisor,
  launchCommand,
  netResize,
  provide,
} from "@silkvm/core";
import { cloneDisks, hotDisk } from "@silkvm/storage";
import { vfio } from "@silkvm/vfio";
import { virtiofs } from "@silkvm/virtiofs";
import { diskPlug } from "./add-disk.ts";
import { fsPlug } from "./add-fs.ts";
import { vfioPlug } from "./add-vfio.ts";
import { checkSnapshot } from "./check-snapshot.ts";
import { clone } from "./clone.ts";
import { console } from "./console.ts";
import { create } from "./create.ts";
import { launchCommandOf, preparationOf } from "./debug.ts";
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
import { isMicrovm, readSettings } from "./settings.ts";
import { snapshot } from "./snapshot.ts";
import { start } from "./start.ts";
import { stop } from "./stop.ts";
import { findVmmProcesses } from "./vmm-processes.ts";

const name = "qemu";

/** VMs on QEMU: one process for each, no daemon; by KVM where it works, and without it elsewhere. */
export const qemu: BackendDefinition = {
  name,
  description: "QEMU, one process for each VM, with KVM or without",
  fitness,
  async open(context) {
    const { host, logger, paths } = context;
    const settings = readSettings(context.settings);
    const places = { host, paths };
    const machine: Machine = {
      ...places,
      logger,
      settings,
      findVmm: (vm) => findVmmProcesses(places, vm),
    };
    const provided = [
      provide(launchCommand, {
        launchCommand: (vm, options) => launchCommandOf(machine, vm, options),
        preparation: (vm) => preparationOf(machine, vm),
      }),
      // A microvm has no slots that anything can be added to.
      ...(isMicrovm(settings.qemuMachine)
        ? []
        : [
            provide(hotDisk, hotPlugOf(machine, diskPlug(host))),
            provide(vfio, hotPlugOf(machine, vfioPlug)),
            provide(netResize, netResizeOf(machine)),
            provide(virtiofs, hotPlugOf(machine, fsPlug(machine))),
          ]),
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
      findFirmware: (options) => findFirmware(host, options),
      firmwareHint,
      capability: (token) => findCapability(provided, token),
      // Every connection is closed by the verb that opened it.
      [Symbol.asyncDispose]: async () => {},
    };
    return hypervisor;
  },
};
