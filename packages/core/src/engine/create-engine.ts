import { boundedCall, type EngineCallOptions } from "../call.ts";
import { missingCapability, type CapabilityToken } from "../capability.ts";
import { configKeys } from "../config/load.ts";
import { defaultConfig } from "../config/defaults.ts";
import { configSchema, type EngineConfig } from "../config/schema.ts";
import { SilkError } from "../errors.ts";
import type { OperationVerb } from "../plugin/hooks.ts";
import type { Hypervisor } from "../hypervisor.ts";
import { launchCommand } from "../hypervisor.ts";
import { silentLogger } from "../logger.ts";
import { checkPlugins } from "../plugin/check.ts";
import { resolveSnapshot, resolveVm } from "../refs.ts";
import { validate } from "../validate.ts";
import { draftSpec } from "../vm/resolve-spec.ts";
import type { VmSpec } from "../vm/spec.ts";
import { adoptSnapshot } from "./adopt-snapshot.ts";
import { batch, onceEach } from "./batch.ts";
import { changeNics } from "./change-nics.ts";
import { cloneVm } from "./clone.ts";
import { attachDevice } from "./attach-device.ts";
import { attachConsole } from "./console.ts";
import { EngineCore } from "./core.ts";
import { createVm } from "./create.ts";
import { deleteSnapshot } from "./delete-snapshot.ts";
import { deleteVm } from "./delete.ts";
import { detachDevice } from "./detach-device.ts";
import { readEvents } from "./events.ts";
import { collectGarbage } from "./gc.ts";
import { HookRunner } from "./hooks.ts";
import { specWithImage } from "./images.ts";
import { OperationObserver } from "./observer.ts";
import { inspectVm } from "./inspect.ts";
import { shortestWords } from "./network-of.ts";
import { listOperations } from "./operations.ts";
import { planNics } from "./plan-nics.ts";
import { planRecord } from "./plan-record.ts";
import { inspectSnapshot, listSnapshots } from "./list-snapshots.ts";
import type { Loaded } from "./loaded.ts";
import { refuseWithoutRequired } from "./require-plugins.ts";
import { restoreVm, wakeVm } from "./restore.ts";
import { leaseSnapshot } from "./snapshot-source.ts";
import { listDevices } from "./list-devices.ts";
import { listNetworks } from "./list-networks.ts";
import { listNics } from "./list-nics.ts";
import { listVms } from "./list.ts";
import { readLogs } from "./logs.ts";
import { startVm } from "./start.ts";
import { stopVm } from "./stop.ts";
import { saveVm, hibernateVm } from "./save-snapshot.ts";
import type { ChangeOptions, CreateOptions, Engine, EngineOptions, LoadResult } from "./types.ts";
import { vmHandle } from "./vm-handle.ts";
import { waitForEnd } from "./wait.ts";

/**
 * Makes an engine over one root directory. Opens nothing until it is used; dispose of it to close what it opened. VMs live on.
 * @example
 * await using engine = await createEngine({ host: linuxHost(), plugins: [cloudHypervisor] });
 * const vm = await engine.create({ name: "web", boot: { kernel: "/boot/vmlinux" } });
 * await vm.start();
 * @throws SilkError `INVALID_CONFIG`, `PLUGIN_INCOMPATIBLE`, `BACKEND_DUPLICATE`
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const config = completeConfig(options);
  checkPlugins(options.plugins);
  const { plugins } = options;
  const hasHooks = plugins.some(({ hooks }) => Object.keys(hooks ?? {}).length > 0);
  const observer = hasHooks ? new OperationObserver(options.host) : undefined;
  const core = new EngineCore({
    host: options.host,
    config,
    logger: options.logger ?? silentLogger,
    hooks: new HookRunner(plugins, config.hookTimeoutMs, observer),
    observer,
    cwd: options.cwd ?? process.cwd(),
    backends: plugins.flatMap(({ backends }) => backends ?? []),
    networks: plugins.flatMap(({ networks }) => networks ?? []),
    deviceKinds: plugins.flatMap(({ devices }) => devices ?? []),
    imageSources: plugins.flatMap(({ images }) => images ?? []),
  });
  const bounded = <T>(
    doing: string,
    call: EngineCallOptions,
    run: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> => boundedCall(doing, call, run);

  /** A call that changes something: hooks are told of its end. */
  const change = <T>(
    verb: OperationVerb,
    ref: string | undefined,
    doing: string,
    call: ChangeOptions,
    run: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> => {
    const judged = (): Promise<T> =>
      bounded(doing, call, async (signal) => {
        refuseWithoutRequired(config, plugins);
        return await run(signal);
      });
    if (observer === undefined) return judged();
    return observer.observe(verb, ref, judged, (report) =>
      core.hooks.after("operation:end", report, (message) => core.warn(call, message)),
    );
  };

  const once = (
    refs: readonly string[],
    resolve: typeof resolveVm | typeof resolveSnapshot,
  ): readonly string[] => {
    if (refs.length < 2) return refs;
    try {
      return core.read((store) => onceEach(refs, (ref) => resolve(store, ref)));
    } catch {
      // A store that cannot be read is told of for each of them.
      return refs;
    }
  };

  const handOver = (loaded: Loaded, dispose?: CreateOptions["dispose"]): LoadResult => ({
    ...loaded,
    vm: vmHandle(engine, loaded.vm, dispose),
  });

  const engine: Engine = {
    host: options.host,
    config,
    backends: core.backendNames,
    create: (spec, call = {}) =>
      change("create", undefined, "cannot create the VM", call, async (signal) =>
        vmHandle(engine, await createVm(core, spec, call, signal), call.dispose),
      ),
    start: (refs, call = {}) =>
      batch(refs, config.concurrency, (ref) =>
        change("start", ref, `cannot start ${ref}`, call, (signal) =>
          startVm(core, ref, call, signal),
        ),
      ),
    stop: (refs, call = {}) =>
      batch(refs, config.concurrency, (ref) =>
        change("stop", ref, `cannot stop ${ref}`, call, (signal) =>
          stopVm(core, ref, call, signal),
        ),
      ),
    delete: (refs, call = {}) =>
      batch(once(refs, resolveVm), config.concurrency, (ref) =>
        change("delete", ref, `cannot remove ${ref}`, call, (signal) =>
          deleteVm(core, ref, call, signal),
        ),
      ),
    get: async (ref) =>
      vmHandle(
        engine,
        core.read((store) => resolveVm(store, ref)),
      ),
    snapshots: {
      save: (ref, call = {}) =>
        change("save", ref, `cannot save ${ref}`, call, (signal) =>
          saveVm(core, ref, call, signal),
        ),
      list: (call = {}) =>
        bounded("cannot list the snapshots", call, async () => listSnapshots(core, call.vm)),
      inspect: (ref, call = {}) =>
        bounded(`cannot inspect the snapshot ${ref}`, call, () => inspectSnapshot(core, ref)),
      delete: (refs, call = {}) =>
        batch(once(refs, resolveSnapshot), config.concurrency, (ref) =>
          change("delete-snapshot", ref, `cannot remove the snapshot ${ref}`, call, (signal) =>
            deleteSnapshot(core, ref, call, signal),
          ),
        ),
      open: (ref, call = {}) =>
        bounded(`cannot open the snapshot ${ref}`, call, (signal) =>
          leaseSnapshot(core, ref, call, signal),
        ),
      adopt: (request, call = {}) =>
        change("adopt-snapshot", undefined, "cannot take the snapshot in", call, (signal) =>
          adoptSnapshot(core, request, call, signal),
        ),
    },
    clone: (from, call = {}) =>
      change("clone", undefined, "cannot clone", call, async (signal) =>
        handOver(await cloneVm(core, from, call, signal), call.dispose),
      ),
    restore: (ref, from, call = {}) =>
      change("restore", ref, `cannot restore ${ref}`, call, async (signal) =>
        handOver(await restoreVm(core, ref, from, call, signal)),
      ),
    hibernate: (ref, call = {}) =>
      change("hibernate", ref, `cannot hibernate ${ref}`, call, (signal) =>
        hibernateVm(core, ref, call, signal),
      ),
    wake: (ref, call = {}) =>
      change("wake", ref, `cannot wake ${ref}`, call, async (signal) =>
        handOver(await wakeVm(core, ref, call, signal)),
      ),
    devices: {
      attach: (ref, kind, request, call = {}) =>
        change("attach", ref, `cannot attach ${kind.noun} to ${ref}`, call, (signal) =>
          attachDevice(core, ref, kind, request, call, signal),
        ),
      detach: (ref, kind, device, call = {}) =>
        change("detach", ref, `cannot detach ${kind.noun} ${device} from ${ref}`, call, (signal) =>
          detachDevice(core, ref, kind, device, call, signal),
        ),
      list: (ref, kind, call = {}) =>
        bounded(`cannot list the devices of ${ref}`, call, (signal) =>
          listDevices(core, ref, kind, signal),
        ),
    },
    nics: {
      list: (ref, call = {}) =>
        bounded(`cannot list the NICs of ${ref}`, call, (signal) => listNics(core, ref, signal)),
      change: (ref, run, call = {}) =>
        change("change-nics", ref, `cannot change the NICs of ${ref}`, call, (signal) =>
          changeNics(core, ref, run, call, signal),
        ),
    },
    blobReferences: (call = {}) =>
      bounded("cannot tell who needs images", call, async () =>
        core.read((store) => store?.listBlobReferences() ?? []),
      ),
    networks: (call = {}) =>
      bounded("cannot list the networks", call, (signal) => listNetworks(core, signal)),
    inspect: (ref, call = {}) =>
      bounded(`cannot inspect ${ref}`, call, (signal) => inspectVm(core, ref, signal)),
    wait: (ref, call = {}) =>
      bounded(`cannot wait for the end of ${ref}`, call, (signal) => waitForEnd(core, ref, signal)),
    list: (call = {}) =>
      bounded("cannot list the VMs", call, (signal) => listVms(core, call, signal)),
    console: (ref, call = {}) =>
      bounded(`cannot attach to ${ref}`, call, (signal) => attachConsole(core, ref, signal)),
    logs: (ref, call = {}) => readLogs(core, ref, call),
    launchCommand: (spec, call = {}) =>
      bounded("cannot tell the command line", call, async (signal) => {
        const { command } = await tellLaunch(core, spec, signal);
        return command;
      }),
    launchCommands: (spec, call = {}) =>
      bounded("cannot tell the command line", call, async (signal) => {
        const { preparation, command } = await tellLaunch(core, spec, signal);
        return [...preparation, command];
      }),
    events: (call = {}) => readEvents(core, call),
    totals: (call = {}) =>
      bounded("cannot tell the totals", call, async () =>
        core.read((store) => store?.eventTotals() ?? []),
      ),
    operations: (call = {}) =>
      bounded("cannot list the operations", call, () => listOperations(core)),
    gc: (call = {}) => {
      const doing = "cannot collect garbage";
      const run = (signal: AbortSignal | undefined) => collectGarbage(core, call, signal);
      // Only told of, nothing changes.
      return call.dryRun === true
        ? bounded(doing, call, run)
        : change("gc", undefined, doing, call, run);
    },
    backend: async (name) => await core.backend(name ?? (await core.defaultBackend()).name),
    defaultBackend: () => core.defaultBackend(),
    capability: async (ref, token) => {
      const vm = core.read((store) => resolveVm(store, ref));
      return requireCapability(await core.backend(vm.backend), token);
    },
    [Symbol.asyncDispose]: () => core.close(),
  };
  return engine;
}

function completeConfig(options: EngineOptions): EngineConfig {
  const given = Object.entries(options.config ?? {}).filter(([, value]) => value !== undefined);
  const unknown = given
    .map(([key]) => key)
    .filter((key) => !(configKeys as readonly string[]).includes(key));
  if (unknown.length > 0)
    throw new SilkError(`there is no setting "${unknown[0]}"`, {
      code: "INVALID_CONFIG",
      kind: "invalid",
      hint: `The settings are ${configKeys.join(", ")}.`,
    });
  const merged = {
    ...defaultConfig(process.env, options.host.facts.uid),
    ...Object.fromEntries(given),
  };
  return validate(configSchema, merged, "INVALID_CONFIG", "the configuration");
}

function requireCapability<T>(backend: Hypervisor, token: CapabilityToken<T>): T {
  const found = backend.capability(token);
  if (found === undefined) throw missingCapability(backend.name, token);
  return found;
}

async function tellLaunch(
  core: EngineCore,
  input: VmSpec,
  signal: AbortSignal | undefined,
): Promise<{
  readonly preparation: readonly (readonly string[])[];
  readonly command: readonly string[];
}> {
  // What is told of must be here: nothing is fetched for it.
  const local = input.image === undefined ? input : { ...input, pull: "never" as const };
  const draft = draftSpec(shortestWords(core.networks, local), core.host, {
    backend: local.backend ?? (await core.defaultBackend()).name,
    cwd: core.cwd,
  });
  const backend = await core.backend(draft.backend);
  const commands = requireCapability(backend, launchCommand);
  // Read for the paths' sake: they hold the store's scope.
  core.read(() => undefined);
  const context = core.context({}, signal);
  await using completed = await specWithImage(core, draft, backend, context);
  const { spec } = completed;
  const { disks: planned } = await backend.plan(spec, context);
  // No command line makes a seed, and a disk that is not there keeps the VMM from starting.
  const disks = planned.filter(({ role }) => role !== "cidata");
  if (disks.length < planned.length)
    context.warn(
      "the disk by which the guest learns who it is (cidata) is left out: only silk makes it",
    );
  const nics = await planNics(core, spec, context);
  const vm = planRecord(spec, { disks, nics }, 0, core.now());
  const command = await commands.launchCommand(vm, { signal });
  return { preparation: (await commands.preparation?.(vm)) ?? [], command };
}
