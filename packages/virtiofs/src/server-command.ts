import { type DeviceContext, type Host, SilkError } from "@silkvm/core";
import type { FsSandbox, ServedFsData } from "./fs-device.ts";
import { readonlyCommand } from "./readonly-command.ts";
import { socketArgument } from "./server-files.ts";
import { findVirtiofsd, type VirtiofsdProgram } from "./virtiofsd-program.ts";

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * How a directory is served with the virtiofsd of this host.
 * @throws SilkError `VIRTIOFSD_NOT_FOUND`, `VIRTIOFSD_UNKNOWN`, `VIRTIOFSD_UNSUPPORTED` where this one cannot do what is wanted
 */
export async function serverCommand(
  served: ServedFsData,
  { host, config, warn }: Pick<DeviceContext, "host" | "config" | "warn">,
): Promise<ServerCommand> {
  const program = await findVirtiofsd(host, config.virtiofsd);
  const isRoot = host.facts.uid === 0;
  checkAbilities(program, served, isRoot);
  const sandbox = served.sandbox ?? (await defaultSandbox(host));
  if (sandbox === "none" && served.sandbox === undefined)
    warn(
      "virtiofsd runs without a sandbox: this host lets users make no namespaces. It can do what this user can.",
    );
  const readonly = served.readonly && knowsReadonly(program);
  const args =
    program.flavor === "rust"
      ? [
          socketArgument(served.socket),
          `--shared-dir=${served.dir}`,
          `--cache=${served.cache}`,
          `--sandbox=${sandbox}`,
          ...(readonly ? ["--readonly"] : []),
        ]
      : [socketArgument(served.socket), "-f", "-o", qemuOptions(served, sandbox)];
  const command = { command: program.path, args };
  return served.readonly && !readonly ? await readonlyCommand(host, served.dir, command) : command;
}

/** @throws SilkError `VIRTIOFSD_UNSUPPORTED` */
function checkAbilities(
  program: VirtiofsdProgram,
  { readonly, sandbox, cache, dir }: ServedFsData,
  isRoot: boolean,
): void {
  const isQemus = program.flavor === "qemu";
  const newer = "Install the virtiofsd of today, version 1.13 or newer";
  if (isQemus && !isRoot)
    throw unsupported(program, "runs as root only", `${newer}, or run silk as root.`);
  if (isQemus && sandbox === "none")
    throw unsupported(program, "has no sandbox `none`", `Choose another sandbox. Or: ${newer}.`);
  if (isQemus && cache === "metadata")
    throw unsupported(program, "has no cache `metadata`", `Choose another cache. Or: ${newer}.`);
  if (!isRoot && sandbox === "chroot")
    throw unsupported(program, "needs root for the sandbox `chroot`", "Choose namespace, or none.");
  if (!readonly || knowsReadonly(program)) return;
  if (!isRoot)
    throw unsupported(
      program,
      "cannot serve a directory read-only",
      `${newer}, or run silk as root.`,
    );
  if (dir === "/")
    throw unsupported(
      program,
      "cannot serve the root directory read-only",
      `${newer}, or share a directory below it.`,
    );
}

/** Since 1.13. Where it is not known, root mounts the directory read-only for virtiofsd alone. */
function knowsReadonly({ flavor, version }: VirtiofsdProgram): boolean {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return flavor === "rust" && (major > 1 || minor >= 13);
}

/** Without root, namespaces are for those whom the host lets make some. */
async function defaultSandbox({ facts, processes }: Host): Promise<FsSandbox> {
  if (facts.uid === 0) return "namespace";
  const args = ["--user", "--mount", "--pid", "--net", "--fork", "true"];
  const tried = await processes
    .run({ command: "unshare", args, timeoutMs: 5_000 })
    .catch(() => undefined);
  return tried?.exitCode === 0 ? "namespace" : "none";
}

/** Options in one argument, with commas between them. */
function qemuOptions({ dir, cache }: ServedFsData, sandbox: FsSandbox): string {
  const source = dir.replaceAll(/[\\,]/g, (sign) => `\\${sign}`);
  return `source=${source},cache=${cache === "never" ? "none" : cache},sandbox=${sandbox}`;
}

function unsupported(program: VirtiofsdProgram, what: string, hint: string): SilkError {
  const { path, flavor, version } = program;
  const whose = flavor === "qemu" ? `QEMU's old virtiofsd, ${version}` : `virtiofsd ${version}`;
  return new SilkError(`${path} (${whose}) ${what}`, {
    code: "VIRTIOFSD_UNSUPPORTED",
    kind: "unsupported",
    hint,
    details: { ...program },
  });
}
