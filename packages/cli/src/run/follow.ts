import type { Vm, VmView } from "@silkvm/core";
import { usageError } from "../cli-error.ts";
import type { OpenEngine } from "../engine.ts";
import { printJson } from "../output/stdout.ts";
import { runInForeground } from "./foreground.ts";

/** The exit code of what silk itself fails at where it is to wait for a program, as `docker run` has it: the program's own codes tell nothing of it. */
export const ownFailure = 125;

export interface FollowOptions {
  readonly tty: boolean;
  /** Whether the program reads stdin. */
  readonly interactive: boolean;
  readonly json: boolean;
  /** As of `StartOptions`. */
  readonly cold?: boolean | undefined;
}

/** Starts the VM of a container and waits for its program, whose exit code becomes that of silk. With `json` that is printed, and what the program writes goes to stderr. */
export async function follow(
  open: OpenEngine,
  vm: Vm,
  { json, ...options }: FollowOptions,
): Promise<void> {
  const output = json ? process.stderr : process.stdout;
  const end = await runInForeground(open, vm, { ...options, output });
  const { id, name, exitCode, exitSignal } = end;
  process.exitCode = exitCode;
  if (json) printJson({ id, name, exitCode, ...(exitSignal === undefined ? {} : { exitSignal }) });
}

/** Whether a VM tells how its program ends: one of a container does, where it boots with the initramfs of silk's. */
export function endsWithProgram({ boot, config, imageBlobIds }: VmView): boolean {
  if (config.run === undefined || boot.kind !== "direct") return false;
  return imageBlobIds.some((id) => boot.initrdPath?.endsWith(`/${id}`) === true);
}

/** @throws CliError of kind `invalid` where a program's terminal is to be this one, and there is none */
export function checkTerminal(interactive: boolean, tty: boolean): void {
  if (interactive && tty && !process.stdin.isTTY)
    throw usageError(
      "-t and -i: stdin is no terminal",
      "Leave -t out: the program reads stdin with -i alone.",
    );
}
