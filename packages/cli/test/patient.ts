import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  defaultConfig,
  type FileStat,
  type Host,
  type HostFiles,
  type HostProcesses,
} from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import type { CheckContext, Patient } from "../src/doctor/context.ts";
import type { Check, Outcome } from "../src/doctor/finding.ts";
import { contextFor } from "../src/doctor/run-checks.ts";

/** A directory of its own for one test, gone at the end of its scope. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "silk-doctor-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** This machine, with some of its methods replaced. */
export function hostWith(overrides: {
  readonly files?: Partial<HostFiles>;
  readonly processes?: Partial<HostProcesses>;
  readonly facts?: Partial<Host["facts"]>;
}): Host {
  const host = linuxHost();
  return {
    ...host,
    files: { ...host.files, ...overrides.files },
    processes: { ...host.processes, ...overrides.processes },
    facts: { ...host.facts, ...overrides.facts },
  };
}

/** What a machine of another kind would show in some places: a text is a file, a list is a directory, undefined is nothing. */
export function showing(
  places: Readonly<Record<string, string | readonly string[] | undefined>>,
): Partial<HostFiles> {
  const { files } = linuxHost();
  const absent = (path: string): Error =>
    Object.assign(new Error(`ENOENT: no such file, '${path}'`), { code: "ENOENT" });
  return {
    readText: async (path) => {
      if (!(path in places)) return await files.readText(path);
      const content = places[path];
      if (typeof content !== "string") throw absent(path);
      return content;
    },
    list: async (path) => {
      if (!(path in places)) return await files.list(path);
      const content = places[path];
      return Array.isArray(content) ? (content as readonly string[]) : [];
    },
    stat: async (path) => {
      if (!(path in places)) return await files.stat(path);
      const content = places[path];
      return content === undefined
        ? undefined
        : statOf(typeof content === "string" ? "file" : "directory", 0o600);
    },
  };
}

export function statOf(kind: FileStat["kind"], mode: number): FileStat {
  return {
    kind,
    mode,
    uid: 0,
    sizeBytes: 0,
    allocatedBytes: 0,
    device: 0,
    inode: 0,
    modifiedMs: 0,
  };
}

/** Somebody who wants to run VMs here, below a directory. */
export function patientAt(directory: string, changes: Partial<Patient> = {}): Patient {
  const host = changes.host ?? linuxHost();
  return {
    host,
    config: {
      ...defaultConfig({}, 0),
      rootDir: join(directory, "root"),
      runDir: join(directory, "run"),
      logDir: join(directory, "log"),
    },
    configPath: join(directory, "config.json"),
    env: {},
    nodeVersion: process.versions.node,
    plugins: { loaded: [], failed: [] },
    ...changes,
  };
}

/** Makes the directories of a patient, as they should be. */
export async function makeDirectories({ config }: Patient): Promise<void> {
  for (const path of [config.rootDir, config.runDir, config.logDir])
    await mkdir(path, { mode: 0o700, recursive: true });
}

export async function contextOf(
  patient: Patient,
  changes: Partial<CheckContext> = {},
): Promise<CheckContext> {
  const { context } = await contextFor(patient, new AbortController().signal, {});
  return { ...context, ...changes };
}

/** What one check finds of a host. */
export async function examineHost(
  check: Check,
  host: Host,
  changes: Partial<CheckContext> = {},
): Promise<Outcome> {
  return await check.run(await contextOf(patientAt("/nowhere", { host }), changes));
}

export const debian = { id: "debian", version: "12", manager: "apt" } as const;

/** What a call to the operating system fails with. */
export function refusal(code: string): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(`${code}: refused`), { code }));
}
