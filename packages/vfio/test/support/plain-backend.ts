import {
  type BackendDefinition,
  type FileOpener,
  findCapability,
  type HotPlug,
  provide,
  type VmObservation,
  type VmRecord,
  withoutSnapshots,
} from "@silkvm/core";
import { vfio, type VfioData } from "../../src/index.ts";

/**
 * A backend whose VMM is a process that sleeps, and whose devices are files that go with it. Like the kernel it lets one process open a group.
 * @param openers who has groups open
 */
export function plainBackend(openers: FileOpener[]): BackendDefinition {
  return {
    name: "plain",
    description: "sleeps",
    async open({ host, paths }) {
      const observe = (vm: VmRecord): VmObservation => {
        const identity = vm.runtime?.vmm;
        return identity !== undefined && host.processes.isAlive(identity)
          ? { vmm: "running", identity }
          : { vmm: "absent" };
      };
      const file = (vm: VmRecord, id: string): string => `${paths(vm).runDir}/device-${id}`;
      const isPresent = async (vm: VmRecord, id: string): Promise<boolean> =>
        observe(vm).vmm === "running" && (await host.files.stat(file(vm, id))) !== undefined;
      const plug: HotPlug<VfioData> = {
        isPresent,
        add: async (vm, { id, data }) => {
          const path = `/dev/vfio/${data.group}`;
          const identity = vm.runtime?.vmm;
          if (identity === undefined) throw new Error("it does not run");
          const [other] = await host.processes.openers([path]);
          if (other !== undefined && other.process.identity.pid !== identity.pid)
            throw new Error("EBUSY: the group is open");
          await host.files.writeAtomic(file(vm, id), data.pci, { mode: 0o600 });
          openers.push({ path, process: { identity, argv: ["sleep", id] } });
          return { bdf: "0000:00:07.0" };
        },
        remove: async (vm, id) => {
          await host.files.remove(file(vm, id));
          const pid = vm.runtime?.vmm.pid;
          for (const [index, { process }] of [...openers.entries()].toReversed())
            if (process.identity.pid === pid && process.argv[1] === id) openers.splice(index, 1);
        },
      };
      const sleep = (vm: VmRecord): string => `86400.${Number.parseInt(vm.id.slice(0, 8), 16)}`;
      return {
        ...withoutSnapshots("plain"),
        name: "plain",
        probe: async () => ({ path: "sleep", version: "1", capabilities: [], notes: [] }),
        plan: async () => ({ disks: [] }),
        create: async () => {},
        start: async (vm) => {
          const { logPath, apiSocketPath } = paths(vm);
          const request = { command: "sleep", args: [sleep(vm)], logPath };
          const { identity } = await host.processes.spawn(request);
          const startedAt = new Date(host.clock.now()).toISOString();
          return { vmm: identity, vmmVersion: "1", apiSocketPath, startedAt };
        },
        stop: async (vm) => {
          for (const { identity } of await host.processes.find((argv) => argv[1] === sleep(vm))) {
            await host.processes.signal(identity, "SIGKILL");
            await host.processes.waitForExit(identity, { timeoutMs: 5_000 });
          }
        },
        delete: async () => {},
        inspect: async (vm) => observe(vm),
        list: async (vms) => vms.map(observe),
        console: () => Promise.reject(new Error("there is no console")),
        capability: (token) => findCapability([provide(vfio, plug)], token),
        [Symbol.asyncDispose]: async () => {},
      };
    },
  };
}
