import {
  type BackendDefinition,
  definePlugin,
  type Disk,
  findCapability,
  type Hypervisor,
  SilkError,
  type VmObservation,
  type VmRecord,
  withoutSnapshots,
} from "@silkvm/core";

/**
 * The smallest backend that keeps the contract: its VMM is `tail -f` of the VM's disk. It shows that a backend needs nothing of
 * Cloud Hypervisor, and lets the engine be tested where there is no VMM at all.
 */
export const tailBackend: BackendDefinition = {
  name: "tail",
  description: "follows a file",
  async open({ host, paths }) {
    const diskOf = (id: string): string => `${paths({ id }).dataDir}/cow.raw`;
    const find = (vm: VmRecord) =>
      host.processes.find((argv) => argv[0] === "tail" && argv.includes(diskOf(vm.id)));
    const observe = (vm: VmRecord): VmObservation => {
      const identity = vm.runtime?.vmm;
      return identity !== undefined && host.processes.isAlive(identity)
        ? { vmm: "running", identity }
        : { vmm: "absent" };
    };
    const hypervisor: Hypervisor = {
      ...withoutSnapshots("tail"),
      name: "tail",
      probe: async () => ({ path: "tail", version: "1", capabilities: [], notes: [] }),
      plan: async (spec) => {
        for (const { path } of spec.disks)
          if ((await host.files.stat(path)) === undefined)
            throw new SilkError(`there is no disk ${path}`, {
              code: "FILE_NOT_FOUND",
              kind: "not-found",
            });
        const disk: Disk = { path: diskOf(spec.id), role: "cow", readonly: false };
        return { disks: [disk] };
      },
      create: async (vm) => {
        await host.files.createSparse(diskOf(vm.id), vm.config.storageBytes, { mode: 0o600 });
      },
      start: async (vm, { signal, progress }) => {
        const { logPath, apiSocketPath } = paths(vm);
        progress("following");
        const spawned = await host.processes.spawn({
          command: "tail",
          args: ["-f", diskOf(vm.id)],
          logPath,
        });
        signal?.throwIfAborted();
        return {
          vmm: spawned.identity,
          vmmVersion: "1",
          apiSocketPath,
          startedAt: new Date(host.clock.now()).toISOString(),
        };
      },
      stop: async (vm) => {
        for (const { identity } of await find(vm)) {
          await host.processes.signal(identity, "SIGKILL");
          await host.processes.waitForExit(identity, { timeoutMs: 5_000 });
        }
      },
      delete: async () => {},
      inspect: async (vm) => observe(vm),
      list: async (vms) => vms.map(observe),
      console: async () => {
        throw new SilkError("there is no console", {
          code: "CONSOLE_UNAVAILABLE",
          kind: "unsupported",
        });
      },
      capability: (token) => findCapability([], token),
      [Symbol.asyncDispose]: async () => {},
    };
    return hypervisor;
  },
};

export const tailPlugin = definePlugin({
  name: "tail-backend",
  apiVersion: 1,
  backends: [tailBackend],
});
