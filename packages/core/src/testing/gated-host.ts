import type { Host, HostDatabase, HostFile } from "../host.ts";

/** Something that is about to be done to the machine. */
export interface Effect {
  /** Number of the effect in this run, from 1. */
  readonly number: number;
  /** Such as `files.mkdir /var/lib/silk`. */
  readonly name: string;
}

/**
 * Called before each effect. What it throws happens instead of the effect. What it returns is called after the effect, and what that
 * throws hides that the effect was done.
 */
export type EffectGate = (effect: Effect) => (() => void) | undefined;

/**
 * A host whose every effect passes a gate first: each call that changes the machine, and each call over a socket. What only looks is let
 * through uncounted, so that the numbers are the same from run to run.
 */
export function withGate(host: Host, gate: EffectGate): Host {
  let number = 0;
  const pass = (name: string) => gate({ number: ++number, name });
  const first = (value: unknown): string => (typeof value === "string" ? ` ${value}` : "");
  const gated = <A extends readonly unknown[], R>(
    name: string,
    call: (...args: A) => Promise<R>,
  ) => {
    return async (...args: A): Promise<R> => {
      const after = pass(name + first(args[0]));
      const result = await call(...args);
      after?.();
      return result;
    };
  };
  const { files, processes, locks } = host;
  return {
    files: {
      ...bound(files),
      mkdir: gated("files.mkdir", files.mkdir.bind(files)),
      writeAtomic: gated("files.writeAtomic", files.writeAtomic.bind(files)),
      writeInPlace: gated("files.writeInPlace", files.writeInPlace.bind(files)),
      createSparse: gated("files.createSparse", files.createSparse.bind(files)),
      copy: gated("files.copy", files.copy.bind(files)),
      sharesBlocks: gated("files.sharesBlocks", files.sharesBlocks.bind(files)),
      link: gated("files.link", files.link.bind(files)),
      sync: gated("files.sync", files.sync.bind(files)),
      open: async (path, how, options) => {
        if (how === "read") return await files.open(path, how, options);
        const after = pass(`files.open ${path}`);
        const file = await files.open(path, how, options);
        try {
          after?.();
        } catch (error) {
          // Whoever asked for it never hears of it.
          await file[Symbol.asyncDispose]();
          throw error;
        }
        return gateFile(file, path, gated);
      },
      rename: gated("files.rename", files.rename.bind(files)),
      chmod: gated("files.chmod", files.chmod.bind(files)),
      remove: gated("files.remove", files.remove.bind(files)),
    },
    processes: {
      ...bound(processes),
      spawn: gated("processes.spawn", processes.spawn.bind(processes)),
      run: gated("processes.run", processes.run.bind(processes)),
      signal: gated("processes.signal", processes.signal.bind(processes)),
    },
    locks: { ...bound(locks), acquire: gated("locks.acquire", locks.acquire.bind(locks)) },
    clock: host.clock,
    random: host.random,
    facts: host.facts,
    openDatabase: (path, options) => gateDatabase(host.openDatabase(path, options), pass),
    isListening: host.isListening.bind(host),
    connect: gated("connect", host.connect.bind(host)),
    openTerminal: gated("openTerminal", host.openTerminal.bind(host)),
    effect: async (name, run) => {
      const after = pass(name);
      const result = await host.effect(name, run);
      after?.();
      return result;
    },
  };
}

/** A gate that makes one effect fail as the operating system would. A time-out comes after the effect: nobody knows whether it was done. */
export function failNth(nth: number, code: "ENOSPC" | "EIO" | "EACCES" | "ETIMEDOUT"): EffectGate {
  return ({ number, name }) => {
    if (number !== nth) return undefined;
    const fail = (): never => {
      throw Object.assign(new Error(`${code}: injected at ${name}`), { code });
    };
    return code === "ETIMEDOUT" ? fail : fail();
  };
}

/** A gate that ends this process at one effect, as `kill -9` would. */
export function killNth(nth: number): EffectGate {
  return ({ number }) => {
    if (number === nth) process.kill(process.pid, "SIGKILL");
    return undefined;
  };
}

/** A file that is written to: each change of it is an effect. */
function gateFile(
  file: HostFile,
  path: string,
  gated: <A extends readonly unknown[], R>(
    name: string,
    call: (...args: A) => Promise<R>,
  ) => (...args: A) => Promise<R>,
): HostFile {
  return {
    ...bound(file),
    write: gated(`file.write ${path}`, file.write.bind(file)),
    truncate: gated(`file.truncate ${path}`, file.truncate.bind(file)),
    punchHole: gated(`file.punchHole ${path}`, file.punchHole.bind(file)),
    allocate: gated(`file.allocate ${path}`, file.allocate.bind(file)),
    sync: gated(`file.sync ${path}`, file.sync.bind(file)),
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

function gateDatabase(
  database: HostDatabase,
  pass: (name: string) => ReturnType<EffectGate>,
): HostDatabase {
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => database.prepare(sql),
    transaction: (run, options) => {
      let after: ReturnType<EffectGate>;
      const result = database.transaction(() => {
        const value = run();
        // Inside, after the work: what is thrown here is what a failing commit looks like.
        after = pass("database.commit");
        return value;
      }, options);
      after?.();
      return result;
    },
    close: () => database.close(),
    [Symbol.dispose]: () => database.close(),
  };
}

/** An object's methods as own properties, so that some of them can be replaced. */
function bound<T extends object>(target: T): T {
  const methods: Record<string, unknown> = {};
  for (
    let level: object = target;
    level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object
  ) {
    for (const key of Object.getOwnPropertyNames(level)) {
      const value = (target as Record<string, unknown>)[key];
      if (!(key in methods))
        methods[key] = typeof value === "function" ? (value.bind(target) as unknown) : value;
    }
  }
  return methods as T;
}
