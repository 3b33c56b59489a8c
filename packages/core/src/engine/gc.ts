import { join, sep } from "node:path";
import { toSilkError } from "../errors.ts";
import type { RunningProcess } from "../host.ts";
import type { EngineCore } from "./core.ts";
import { recoverAll } from "./recover.ts";
import { vmOfLog } from "./remove.ts";
import type { ChangeOptions, Orphan } from "./types.ts";

const killWaitMs = 5_000;
/** So much may the time of a file be behind the clock. */
const fileClockMs = 20;

/**
 * Finds what no record owns and removes it. A directory that is being made by somebody right now has a record already, so nothing of a
 * living operation is ever taken for an orphan: records are read after the directories. Nor is what is older than the store, whose
 * record may be in another one that was moved away or lost: it is told of as a warning.
 */
export async function collectGarbage(
  core: EngineCore,
  options: ChangeOptions & { readonly dryRun?: boolean | undefined },
  signal: AbortSignal | undefined,
): Promise<readonly Orphan[]> {
  if (options.dryRun !== true) await recoverAll(core, await core.store());
  const hasStore = core.read((store) => store !== undefined);
  if (!hasStore) return [];
  const { files, processes } = core.host;
  const dataDir = join(core.config.rootDir, "vms");
  const data = await files.list(dataDir);
  const run = await files.list(core.runScopeDir);
  const logs = await files.list(core.logScopeDir);
  const snapshots = await files.list(core.snapshotsDir);
  const running = await processes.find((argv) => vmOf(argv, core.runScopeDir) !== undefined);
  const arriving = core.read(
    (store) =>
      store?.listOperations().flatMap(({ verb, id }) => (verb === "import" ? id : [])) ?? [],
  );
  const knownSnapshots = new Set([
    ...arriving,
    ...core.read((store) => store?.snapshotIds() ?? []),
  ]);
  const known = core.read((store) => new Set(store?.listVms().map(({ summary }) => summary.id)));

  const { warn } = core.context(options, signal);
  const sinceMs = core.read((store) => store?.sinceMs) ?? 0;
  /** Whether it is this store's; says so where not. */
  const isOurs = async (directory: string): Promise<boolean> => {
    const stat = await files.stat(directory);
    if (stat === undefined || stat.modifiedMs >= sinceMs - fileClockMs) return true;
    warn(
      `${directory} is older than the store and belongs to no VM or snapshot of it: it is left as it is`,
    );
    return false;
  };
  const orphans: (Orphan & { readonly remove: () => Promise<void> })[] = [];
  const path = (
    kind: "data" | "run" | "log",
    directory: string,
    name: string,
    id: string,
  ): void => {
    if (known.has(id)) return;
    const full = join(directory, name);
    orphans.push({
      kind,
      name: full,
      why: `no VM has the id ${id}`,
      remove: () => files.remove(full),
    });
  };
  for (const process of running) {
    const id = vmOf(process.argv, core.runScopeDir);
    if (id === undefined || known.has(id)) continue;
    const why = `it serves ${core.runScopeDir}${sep}${id}, and no VM has that id`;
    orphans.push({
      kind: "process",
      name: `pid ${process.identity.pid}`,
      why,
      remove: () => kill(core, process),
    });
  }
  for (const id of run) path("run", core.runScopeDir, id, id);
  for (const id of data)
    if (!known.has(id) && (await isOurs(join(dataDir, id)))) path("data", dataDir, id, id);
  for (const name of logs) path("log", core.logScopeDir, name, vmOfLog(name));

  for (const entry of snapshots) {
    const id = entry.replace(/\.partial$/, "");
    if (knownSnapshots.has(id)) continue;
    const full = join(core.snapshotsDir, entry);
    if (!(await isOurs(full))) continue;
    orphans.push({
      kind: "snapshot",
      name: full,
      why: `no snapshot has the id ${id}`,
      remove: () => files.remove(full),
    });
  }
  for (const { name, remove } of options.dryRun === true ? [] : orphans) {
    signal?.throwIfAborted();
    try {
      await remove();
    } catch (error) {
      throw toSilkError(error, `cannot remove ${name}`);
    }
  }
  const images = await collectImages(core, options, signal);
  return [...orphans.map(({ kind, name, why }) => ({ kind, name, why })), ...images];
}

/** What image sources have that nothing needs: last, since what was an orphan needs nothing any more. */
async function collectImages(
  core: EngineCore,
  options: ChangeOptions & { readonly dryRun?: boolean | undefined },
  signal: AbortSignal | undefined,
): Promise<readonly Orphan[]> {
  const dryRun = options.dryRun === true;
  const found: Orphan[] = [];
  for (const definition of core.imageSources) {
    const source = await core.openImageSource(definition);
    const garbage = await source.collectGarbage({ dryRun }, core.context(options, signal));
    found.push(
      ...garbage.map(({ name, why, sizeBytes }): Orphan => ({
        kind: "image",
        name,
        why,
        sizeBytes,
      })),
    );
  }
  return found;
}

/** The VM that a process serves, by the socket among its arguments. A shell that was given such a command line as text serves none. */
function vmOf(argv: readonly string[], runScopeDir: string): string | undefined {
  for (const argument of argv) {
    const at = argument.indexOf(`${runScopeDir}${sep}`);
    if (at === -1 || (at > 0 && !/[=,:]/.test(argument.charAt(at - 1)))) continue;
    const [id, ...rest] = argument.slice(at + runScopeDir.length + 1).split(sep);
    if (id !== undefined && id !== "" && rest.length > 0) return id;
  }
  return undefined;
}

async function kill(core: EngineCore, { identity }: RunningProcess): Promise<void> {
  await core.host.processes.signal(identity, "SIGKILL");
  if (!(await core.host.processes.waitForExit(identity, { timeoutMs: killWaitMs })))
    throw new Error("it does not end");
}
