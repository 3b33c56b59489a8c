import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import cloudHypervisorPlugin from "@silkvm/cloud-hypervisor";
import {
  createEngine,
  type Engine,
  type EngineConfig,
  type Host,
  type PluginDefinition,
} from "@silkvm/core";
import qemuPlugin from "@silkvm/qemu";
import { linuxHost } from "@silkvm/sys";

/** Directories of a test's own, with nothing in common with those of another. */
export interface Sandbox extends AsyncDisposable {
  readonly dir: string;
  readonly config: Pick<EngineConfig, "rootDir" | "runDir" | "logDir"> & Partial<EngineConfig>;
  /** An engine over these directories; many may be open at once. */
  engine(host?: Host, plugins?: readonly PluginDefinition[]): Promise<Engine>;
  /** Words that go before each program that is to run in it. */
  readonly under?: readonly string[] | undefined;
  /** The environment that makes the CLI use these directories. */
  readonly env: Readonly<Record<string, string>>;
}

/** A sandbox whose VMs run on this VMM, with plugins besides its backend. Short paths: sockets live in it. At its end, everything that still runs in it is ended. */
export async function makeSandbox(
  chBinary: string,
  plugins: readonly PluginDefinition[] = [],
  settings: Partial<EngineConfig> = {},
): Promise<Sandbox> {
  const dir = await mkdtemp(join(tmpdir(), "silk-"));
  const directories = {
    rootDir: join(dir, "root"),
    runDir: join(dir, "run"),
    logDir: join(dir, "log"),
  };
  const config = {
    ...directories,
    chBinary,
    startTimeoutMs: 20_000,
    stopGraceMs: 5_000,
    ...settings,
  };
  return {
    dir,
    config,
    engine: (host = linuxHost(), more = plugins) =>
      createEngine({
        host,
        plugins: [cloudHypervisorPlugin, qemuPlugin, ...more],
        config,
        cwd: dir,
      }),
    env: {
      SILK_ROOT_DIR: directories.rootDir,
      SILK_RUN_DIR: directories.runDir,
      SILK_LOG_DIR: directories.logDir,
      SILK_CH_BINARY: chBinary,
    },
    [Symbol.asyncDispose]: async () => {
      const { processes } = linuxHost();
      for (const { identity } of await processes.find((argv) =>
        argv.some((argument) => argument.includes(dir)),
      )) {
        await processes.signal(identity, "SIGKILL");
        await processes.waitForExit(identity, { timeoutMs: 5_000 });
      }
      await rm(dir, { recursive: true, force: true });
    },
  };
}
