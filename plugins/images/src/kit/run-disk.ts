import type { ContainerRun } from "@silkvm/core";
import { checkRun } from "./container-run.ts";
import { signalNumber } from "./signal-number.ts";

const sectorBytes = 512;
/** The first line: the boot's script reads no other form. */
const form = "#silk-run 1";

/**
 * The content of the read-only disk `silk-run`, which tells the guest what to run: words for its shell, every one of them quoted, padded with empty lines to whole sectors.
 * @throws SilkError `INVALID_RUN`
 */
export function runDiskContent(
  run: ContainerRun,
  {
    hostname = "",
    attach = false,
  }: {
    /** Of the guest. Default: what the kernel's command line says. */
    readonly hostname?: string | undefined;
    /** Whether the program waits until somebody has attached to the console, by {@link attachContainer}. Default false. */
    readonly attach?: boolean | undefined;
  } = {},
): Uint8Array {
  checkRun(run);
  const [program = "", ...args] = run.argv;
  const env = run.env.map(quote).join(" ");
  const lines = [
    form,
    `user=${quote(run.user)}`,
    `workdir=${quote(run.workingDir)}`,
    `hostname=${quote(hostname)}`,
    `tty=${run.tty ? 1 : 0}`,
    `attach=${attach ? 1 : 0}`,
    `stop_signal=${signalNumber(run.stopSignal ?? "SIGTERM") ?? ""}`,
    ...run.mounts.map(
      ({ tag, path, readonly }) =>
        `silk_mount ${quote(tag)} ${quote(path)} ${readonly ? "ro" : "rw"}`,
    ),
    `silk_env ${env}`,
    `silk_find ${quote(program)}`,
    `silk_exec ${env} "$program" ${args.map(quote).join(" ")}`,
  ];
  const text = Buffer.from(`${lines.join("\n")}\n`);
  return Buffer.concat([text, Buffer.alloc(-text.length & (sectorBytes - 1), "\n")]);
}

/** One word of the shell's, whatever is in it. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
