import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { linuxHost } from "@silkvm/sys";
import { serveImage } from "./counterpart-image.ts";

const run = promisify(execFile);

/** Stands in for the program that makes layers of an image, which not every host has as new as it has to be: the guest reads none. */
const emptyLayer = `#!/bin/sh
for file; do case $file in /*) truncate -s 64K "$file";; esac; done
exec cat > /dev/null
`;

/** The counterpart's program with directories of its own, and the test guest as an image in it. */
export interface Counterpart {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  /** The name of the image. */
  readonly image: string;
  /** Runs the program; throws where it fails. @returns what it printed */
  readonly run: (...args: readonly string[]) => Promise<string>;
  /** The API socket of one of its VMs that runs. */
  readonly socketOf: (name: string) => Promise<string>;
}

export interface CounterpartOptions {
  /** Everything of it goes below. */
  readonly dir: string;
  readonly kernelPath: string;
  /** What it and its VMMs are started with besides. */
  readonly env: Readonly<Record<string, string>>;
  readonly port?: number;
}

/** @returns nothing where the program is not on PATH */
export async function openCounterpart(
  options: CounterpartOptions,
): Promise<Counterpart | undefined> {
  const path = await linuxHost().processes.which("cocoon");
  if (path === undefined) return undefined;
  const { dir, kernelPath, port } = options;
  const toolsDir = join(dir, "tools");
  await mkdir(toolsDir, { recursive: true });
  await writeFile(join(toolsDir, "mkfs.erofs"), emptyLayer, { mode: 0o755 });
  const env = {
    ...options.env,
    PATH: [toolsDir, process.env["PATH"]].join(delimiter),
    COCOON_ROOT_DIR: join(dir, "root"),
    COCOON_RUN_DIR: join(dir, "run"),
    COCOON_LOG_DIR: join(dir, "log"),
  };
  const cocoon = async (...args: readonly string[]): Promise<string> =>
    (await run(path, args, { env, maxBuffer: 2 ** 26 })).stdout;
  await using served = await serveImage(await readFile(kernelPath), {
    ...(port !== undefined && { port }),
  });
  await cocoon("image", "pull", served.reference);
  return {
    path,
    env,
    image: served.reference,
    run: cocoon,
    socketOf: async (name) => {
      const { id } = JSON.parse(await cocoon("vm", "inspect", name)) as { id: string };
      return join(dir, "run/cloudhypervisor", id, "api.sock");
    },
  };
}
