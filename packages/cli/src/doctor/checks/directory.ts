import { dirname } from "node:path";
import type { HostFiles } from "@silkvm/core";
import type { CheckContext } from "../context.ts";
import { asRoot } from "../distribution.ts";
import type { Check, Outcome } from "../finding.ts";
import { silentDirectory } from "../responds.ts";
import { shellQuote } from "../../output/shell-quote.ts";

const privateMode = 0o700;

interface Directory {
  readonly id: string;
  readonly title: string;
  readonly key: "rootDir" | "runDir" | "logDir";
  /** The flag that names another one. */
  readonly flag: string;
  /** Why nobody else may look into it. */
  readonly holds: string;
}

export const rootDir: Check = directoryCheck({
  id: "root-dir",
  title: "root directory",
  key: "rootDir",
  flag: "--root-dir",
  holds: "the VMs' disks and the store of what VMs there are",
});

export const runDir: Check = directoryCheck({
  id: "run-dir",
  title: "run directory",
  key: "runDir",
  flag: "--run-dir",
  holds: "the VMMs' sockets, and whoever reaches one of them rules its VM",
});

export const logDir: Check = directoryCheck({
  id: "log-dir",
  title: "log directory",
  key: "logDir",
  flag: "--log-dir",
  holds: "what VMMs and guests write",
});

function directoryCheck(directory: Directory): Check {
  const { id, title, key } = directory;
  return {
    id,
    title,
    group: "Directories",
    async run(context) {
      const path = context.config[key];
      const silent = await silentDirectory(context, path);
      if (silent === undefined) return await checkDirectory(directory, path, context);
      return {
        ...silent,
        status: "failed",
        why: `It holds ${directory.holds}.`,
        fix: {
          description:
            "See whether its disk, or the server of a network file system, is still there.",
          automatic: false,
        },
      };
    },
    async repair({ config, host }) {
      const path = config[key];
      await host.files.mkdir(path, { mode: privateMode });
      return `made ${path}`;
    },
  };
}

async function checkDirectory(
  directory: Directory,
  path: string,
  context: CheckContext,
): Promise<Outcome> {
  const { files, facts } = context.host;
  const why = `It holds ${directory.holds}.`;
  const elsewhere = `Name another directory with ${directory.flag} or \`silk config set ${directory.key} DIR\``;
  const stat = await files.stat(path);
  if (stat === undefined) return await checkMissing(directory, path, context);
  if (stat.kind !== "directory")
    return {
      status: "failed",
      evidence: `${path} is a ${stat.kind}`,
      why,
      fix: { description: `${elsewhere}, or move it away.`, automatic: false },
    };
  const mode = stat.mode.toString(8).padStart(4, "0");
  const usable = (await files.canAccess(path, "write")) && (await files.canAccess(path, "execute"));
  if (!usable)
    return {
      status: "failed",
      evidence: `this user may not write to ${path} (mode ${mode})`,
      why,
      fix: { description: `${elsewhere}, or run silk as the user who owns it.`, automatic: false },
    };
  if ((stat.mode & 0o077) === 0) return { status: "ok", evidence: `${path}, mode ${mode}` };
  const isWritable = (stat.mode & 0o002) !== 0;
  return {
    status: isWritable ? "failed" : "warning",
    evidence: `other users may ${isWritable ? "write to" : "use"} ${path} (mode ${mode})`,
    why,
    // Never done without being asked: it may be a directory that others need, such as /tmp.
    fix:
      (stat.mode & 0o1000) === 0
        ? {
            command: asRoot(`chmod 0700 ${shellQuote(path)}`, facts.uid),
            description: "Take it from everybody but its owner.",
            automatic: false,
          }
        : { description: `${elsewhere}: this one is there for everybody.`, automatic: false },
  };
}

/** A directory that is not there is made by the first command that needs it, if it can be. */
async function checkMissing(
  { flag, holds }: Directory,
  path: string,
  { host }: CheckContext,
): Promise<Outcome> {
  const parent = await nearestParent(host.files, path);
  if (await host.files.canAccess(parent, "write"))
    return {
      status: "warning",
      evidence: `${path} is not there yet`,
      why: `It holds ${holds}; the first command that needs it makes it.`,
      fix: {
        command: `mkdir -p -m 0700 ${shellQuote(path)}`,
        description: "Make it, for its owner alone.",
        automatic: true,
      },
    };
  const owner =
    host.facts.uid === 0
      ? ""
      : ` && ${asRoot(`chown ${host.facts.uid} ${shellQuote(path)}`, host.facts.uid)}`;
  return {
    status: "failed",
    evidence: `${path} is not there, and this user may not make it in ${parent}`,
    why: `It holds ${holds}.`,
    fix: {
      command: `${asRoot(`mkdir -p -m 0700 ${shellQuote(path)}`, host.facts.uid)}${owner}`,
      description: `Make it, or name another directory with ${flag}.`,
      automatic: false,
    },
  };
}

async function nearestParent(files: HostFiles, path: string): Promise<string> {
  let parent = dirname(path);
  while (parent !== "/" && (await files.stat(parent)) === undefined) parent = dirname(parent);
  return parent;
}
