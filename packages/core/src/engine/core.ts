import { join } from "node:path";
import type { EngineConfig } from "../config/schema.ts";
import type { DeviceKindDefinition } from "../devices/device-kind.ts";
import { SilkError, toSilkError } from "../errors.ts";
import type { ImageSource, ImageSourceDefinition } from "../image/image-source.ts";
import type { Host } from "../host.ts";
import type { BackendDefinition, Hypervisor, OperationContext } from "../hypervisor.ts";
import type { Logger } from "../logger.ts";
import type { NetworkDefinition, Plumbing } from "../plumbing.ts";
import { openStore, openStoreReadOnly, type Store } from "../store/store.ts";
import { randomId } from "../vm/names.ts";
import type { VmPaths } from "../vm/record.ts";
import { type BackendChoice, chooseBackend } from "./choose-backend.ts";
import type { HookRunner } from "./hooks.ts";
import type { OperationObserver } from "./observer.ts";
import type { ChangeOptions } from "./types.ts";

/** What the verbs of an engine share: its machine, its settings, and what it has opened so far. */
export class EngineCore {
  readonly host: Host;
  readonly config: EngineConfig;
  readonly logger: Logger;
  readonly hooks: HookRunner;
  /** Left out where no hook would be told of what it sees. */
  readonly observer: OperationObserver | undefined;
  readonly cwd: string;
  readonly deviceKinds: readonly DeviceKindDefinition[];
  readonly #definitions: ReadonlyMap<string, BackendDefinition>;
  readonly #networks: readonly NetworkDefinition[];
  readonly #imageSources: readonly ImageSourceDefinition[];
  readonly #openedSources = new Map<string, Promise<ImageSource>>();
  readonly #plumbings = new Map<string, Promise<Plumbing>>();
  readonly #backends = new Map<string, Promise<Hypervisor>>();
  #choice: Promise<BackendChoice> | undefined;
  #store: Store | undefined;
  #opening: Promise<Store> | undefined;
  #scope: string | undefined;
  readonly #closing = new AbortController();

  constructor(parts: {
    readonly host: Host;
    readonly config: EngineConfig;
    readonly logger: Logger;
    readonly hooks: HookRunner;
    readonly observer?: OperationObserver | undefined;
    readonly cwd: string;
    readonly backends: readonly BackendDefinition[];
    readonly networks: readonly NetworkDefinition[];
    readonly deviceKinds: readonly DeviceKindDefinition[];
    readonly imageSources: readonly ImageSourceDefinition[];
  }) {
    this.host = parts.host;
    this.config = parts.config;
    this.logger = parts.logger;
    this.hooks = parts.hooks;
    this.observer = parts.observer;
    this.cwd = parts.cwd;
    this.deviceKinds = parts.deviceKinds;
    this.#networks = parts.networks;
    this.#imageSources = parts.imageSources;
    this.#definitions = new Map(parts.backends.map((definition) => [definition.name, definition]));
  }

  get storePath(): string {
    return join(this.config.rootDir, "silk.db");
  }

  /** One byte of this file is the lock of each VM, at the VM's number. */
  get lockPath(): string {
    return join(this.config.rootDir, "vm.lock");
  }

  get snapshotsDir(): string {
    return join(this.config.rootDir, "snapshots");
  }

  snapshotDir(id: string): string {
    return join(this.snapshotsDir, id);
  }

  /** Where a snapshot is made, until it is whole. */
  partialSnapshotDir(id: string): string {
    return join(this.snapshotsDir, `${id}.partial`);
  }

  newId(): string {
    return randomId(this.host);
  }

  /** Aborts when the engine is closed, or when the caller's signal does: for what goes on until it is told to end. */
  until(signal: AbortSignal | undefined): AbortSignal {
    this.#refuseClosed();
    return signal === undefined
      ? this.#closing.signal
      : AbortSignal.any([signal, this.#closing.signal]);
  }

  /** This moment, as records and answers have it: ISO 8601. */
  now(): string {
    return new Date(this.host.clock.now()).toISOString();
  }

  get backendNames(): readonly string[] {
    return [...this.#definitions.keys()];
  }

  /** The backend of VMs that name none; chosen once. */
  defaultBackend(): Promise<BackendChoice> {
    this.#refuseClosed();
    this.#choice ??= chooseBackend(this.host, this.config, [...this.#definitions.values()]);
    return this.#choice;
  }

  /** The store for reading and writing; made, with its directory, at the first use. */
  store(): Promise<Store> {
    this.#refuseClosed();
    this.#opening ??= this.#openStore().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** Reads from the store without writing anything anywhere; from nothing, where there is no store yet. */
  read<T>(run: (store: Store | undefined) => T): T {
    this.#refuseClosed();
    if (this.#store !== undefined) return run(this.#store);
    using store = openStoreReadOnly(this.host, this.storePath);
    this.#scope ??= store?.scope;
    return run(store);
  }

  /** @throws SilkError `BACKEND_UNKNOWN` */
  backend(name: string): Promise<Hypervisor> {
    this.#refuseClosed();
    const definition = this.#definitions.get(name);
    if (definition === undefined)
      throw new SilkError(`there is no backend "${name}"`, {
        code: "BACKEND_UNKNOWN",
        kind: "unsupported",
        hint:
          this.#definitions.size === 0
            ? "No plugin brings a backend."
            : `The backends are ${this.backendNames.join(", ")}. Another one comes with its plugin: \`silk plugins list\` shows those that there are, and what is wrong with them.`,
        details: { backend: name, known: this.backendNames },
      });
    let opened = this.#backends.get(name);
    if (opened === undefined) {
      opened = this.#open("backend", definition, {
        host: this.host,
        logger: this.logger,
        settings: { ...this.config },
        paths: (vm) => this.paths(vm),
      });
      this.#backends.set(name, opened);
    }
    return opened;
  }

  get networks(): readonly NetworkDefinition[] {
    return this.#networks;
  }

  /** The host's side of NICs, by the provider that they name. @throws SilkError `NETWORK_MISSING` */
  plumbing(provider: string): Promise<Plumbing> {
    this.#refuseClosed();
    const definition = this.#networks.find(({ name }) => name === provider);
    if (definition === undefined)
      throw new SilkError(`no plugin brings the network "${provider}"`, {
        code: "NETWORK_MISSING",
        kind: "unsupported",
        hint: "Install the plugin that its NICs were made with, or give it to createEngine.",
        details: { provider, known: this.#networks.map(({ name }) => name) },
      });
    const { name } = definition;
    let opened = this.#plumbings.get(name);
    if (opened === undefined) {
      opened = this.#open("network", definition, {
        host: this.host,
        logger: this.logger,
        scope: this.scope,
        stateDir: join(this.config.rootDir, "networks", name),
      });
      this.#plumbings.set(name, opened);
    }
    return opened;
  }

  get imageSources(): readonly ImageSourceDefinition[] {
    return this.#imageSources;
  }

  /** Whether a plugin brings images of such a name. */
  knowsImage(name: string): boolean {
    return this.#sourceOf(name) !== undefined;
  }

  /** Where an image comes from, by the scheme of its name. @throws SilkError `IMAGES_MISSING` */
  async imageSource(name: string): Promise<ImageSource> {
    this.#refuseClosed();
    const definition = this.#sourceOf(name);
    if (definition === undefined)
      throw new SilkError(`no plugin brings the image ${name}`, {
        code: "IMAGES_MISSING",
        kind: "unsupported",
        hint: "Install a plugin that brings images, or give one to createEngine.",
        details: { image: name, known: this.#imageSources.map((source) => source.name) },
      });
    return await this.openImageSource(definition);
  }

  openImageSource(definition: ImageSourceDefinition): Promise<ImageSource> {
    let opened = this.#openedSources.get(definition.name);
    if (opened === undefined) {
      opened = this.#open("image", definition, {
        host: this.host,
        logger: this.logger,
        rootDir: this.config.rootDir,
        references: async () => this.read((store) => store?.listBlobReferences() ?? []),
      });
      this.#openedSources.set(definition.name, opened);
    }
    return opened;
  }

  #sourceOf(name: string): ImageSourceDefinition | undefined {
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(name)?.[1];
    return (
      this.#imageSources.find((source) => scheme !== undefined && source.scheme === scheme) ??
      this.#imageSources.find((source) => source.scheme === undefined)
    );
  }

  paths(vm: { readonly id: string }): VmPaths {
    const runDir = join(this.runScopeDir, vm.id);
    return {
      dataDir: join(this.config.rootDir, "vms", vm.id),
      runDir,
      logPath: join(this.logScopeDir, `${vm.id}.log`),
      apiSocketPath: join(runDir, "api.sock"),
      consoleSocketPath: join(runDir, "console.sock"),
    };
  }

  /** A random word of this installation. */
  get scope(): string {
    // Before there is a store there is no VM; `debug` still wants paths that look like the real ones.
    return this.#scope ?? "0".repeat(8);
  }

  /** Two roots may share a run directory: each has its own part of it. */
  get runScopeDir(): string {
    return join(this.config.runDir, this.scope);
  }

  get logScopeDir(): string {
    return join(this.config.logDir, this.scope);
  }

  /** The context of a backend's verb. Without a signal: for what must be done whatever the caller wants by now. */
  context(options: ChangeOptions, signal: AbortSignal | undefined): OperationContext {
    return {
      signal,
      progress: (message) => options.onProgress?.(message),
      warn: (message) => this.warn(options, message),
    };
  }

  warn(options: ChangeOptions, message: string): void {
    if (options.onWarning === undefined) this.logger.warn(message);
    else options.onWarning(message);
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    const opened = await Promise.allSettled([
      ...this.#backends.values(),
      ...this.#plumbings.values(),
      ...this.#openedSources.values(),
    ]);
    for (const resource of opened)
      if (resource.status === "fulfilled") await resource.value[Symbol.asyncDispose]();
    this.#store?.[Symbol.dispose]();
  }

  /** Opens a backend, a network or an image source, whose calls are then phases of operations. */
  async #open<C, T extends object>(
    what: "backend" | "network" | "image",
    definition: { readonly open: (context: C) => Promise<T> },
    context: C,
  ): Promise<T> {
    const opened = await this.phase(`${what}.open`, () => definition.open(context));
    return this.observer?.watch(what, opened) ?? opened;
  }

  /** A part of an operation, for those who are told of its parts. */
  phase<T>(name: string, run: () => Promise<T>): Promise<T> {
    return this.observer === undefined ? run() : this.observer.phase(name, run);
  }

  async #openStore(): Promise<Store> {
    try {
      await this.host.files.mkdir(this.config.rootDir, { mode: 0o700 });
    } catch (error) {
      throw noRootDir(error, this.config.rootDir);
    }
    this.#store = openStore(this.host, this.storePath);
    this.#scope = this.#store.scope;
    return this.#store;
  }

  #refuseClosed(): void {
    if (this.#closing.signal.aborted)
      throw new SilkError("the engine is closed", { code: "ENGINE_CLOSED", kind: "invalid" });
  }
}

function noRootDir(error: unknown, rootDir: string): SilkError {
  if ((error as { code?: unknown } | undefined)?.code !== "EEXIST")
    return toSilkError(error, `cannot make the directory ${rootDir}`);
  return new SilkError(`the root directory ${rootDir} is a file`, {
    code: "NOT_A_DIRECTORY",
    kind: "invalid",
    hint: "Name another directory with --root-dir or SILK_ROOT_DIR.",
    cause: error,
  });
}
