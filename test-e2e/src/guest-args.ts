import { open } from "node:fs/promises";
import { join } from "node:path";

/** Memory of the guests in these tests. */
export const memoryBytes = 256 * 1024 ** 2;

/** The arguments that silk starts a direct boot with, its console a PTY. */
export function directBoot(
  kernelPath: string,
  { cpus = 1, cmdline = "console=hvc0" } = {},
): string[] {
  return [
    "--cpus",
    `boot=${cpus},max=2`,
    "--memory",
    `size=${memoryBytes}`,
    "--kernel",
    kernelPath,
    "--cmdline",
    cmdline,
    "--rng",
    "src=/dev/urandom",
    "--watchdog",
    "--balloon",
    `size=${memoryBytes / 4},deflate_on_oom=on,free_page_reporting=on`,
    "--serial",
    "off",
    "--console",
    "pty",
  ];
}

/** The arguments that silk starts a VM under firmware with, its console a serial socket. */
export function serialBoot(dir: string, payload: readonly string[]): string[] {
  return [
    "--cpus",
    "boot=1,max=2",
    "--memory",
    `size=${memoryBytes}`,
    ...payload,
    "--rng",
    "src=/dev/urandom",
    "--watchdog",
    "--serial",
    `socket=${join(dir, "serial.sock")}`,
    "--console",
    "off",
  ];
}

/** Makes an empty raw disk of 4 MiB, which is 8192 sectors, and returns its path. */
export async function makeDisk(dir: string, name: string): Promise<string> {
  const path = join(dir, `${name}.raw`);
  const file = await open(path, "w");
  await file.truncate(4 * 1024 ** 2);
  await file.close();
  return path;
}
