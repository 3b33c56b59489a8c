import { readFile } from "node:fs/promises";
import type { RunSpec, VmSpec } from "@silkvm/core";
import { CliError, usageError } from "../cli-error.ts";
import { parseVariables } from "../parse/variables.ts";
import { parseVolume, type Volume } from "../parse/volume.ts";

/** The values of `containerFlags`. */
export interface ContainerFlags {
  readonly env?: readonly string[] | undefined;
  readonly "env-from"?: readonly string[] | undefined;
  readonly volume?: readonly string[] | undefined;
  readonly entrypoint?: string | undefined;
  readonly workdir?: string | undefined;
  readonly tty: boolean;
}

/** A directory to share with a VM, by its tag. */
export interface TaggedVolume extends Volume {
  readonly tag: string;
}

/** What a command line wants of a container. */
export interface WantedRun {
  /** Undefined where nothing of it is for a container. */
  readonly run: RunSpec | undefined;
  readonly volumes: readonly TaggedVolume[];
}

/**
 * Reads the flags and words of a command line that are for a container.
 * @param command what stands behind IMAGE
 * @throws CliError of kind `invalid` or `not-found`
 */
export async function readRun(
  flags: ContainerFlags,
  command: readonly string[],
): Promise<WantedRun> {
  const { env, "env-from": files, volume, entrypoint, workdir, tty } = flags;
  const texts = await Promise.all((files ?? []).map(readText));
  const volumes = (volume ?? []).map((text, index) => ({
    ...parseVolume(text),
    tag: `volume-${index + 1}`,
  }));
  if (workdir !== undefined && !workdir.startsWith("/"))
    throw usageError(`--workdir: ${JSON.stringify(workdir)} is no full path`);
  const run: RunSpec = {
    ...(command.length === 0 ? {} : { args: command }),
    ...(entrypoint === undefined ? {} : { entrypoint: [entrypoint] }),
    ...(env === undefined && files === undefined
      ? {}
      : { env: parseVariables(env ?? [], texts, process.env) }),
    ...(workdir === undefined ? {} : { workingDir: workdir }),
    ...(tty ? { tty } : {}),
    ...(volumes.length === 0
      ? {}
      : { mounts: volumes.map(({ tag, path, readonly }) => ({ tag, path, readonly })) }),
  };
  return { run: Object.keys(run).length === 0 ? undefined : run, volumes };
}

/** The spec of a VM with what is for a container. Directories are shared through memory that others can map. */
export function withRun(spec: VmSpec, { run, volumes }: WantedRun): VmSpec {
  if (run === undefined) return spec;
  if (spec.image === undefined)
    throw usageError(
      "a command, -e, -v, -w, -t and --entrypoint are for a container's image, and no image is named",
      "Name one: silk vm run [FLAGS] IMAGE [COMMAND...]",
    );
  return { ...spec, run, sharedMemory: spec.sharedMemory === true || volumes.length > 0 };
}

async function readText(path: string): Promise<{ readonly path: string; readonly text: string }> {
  try {
    return { path, text: await readFile(path, "utf8") };
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new CliError(
      isMissing
        ? `--env-from: there is no file ${path}`
        : `--env-from: ${path} cannot be read: ${(error as Error).message}`,
      isMissing
        ? { code: "FILE_NOT_FOUND", kind: "not-found" }
        : { code: "FILE_UNREADABLE", kind: "denied" },
    );
  }
}
