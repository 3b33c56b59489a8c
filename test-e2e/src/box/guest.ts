import { randomUUID } from "node:crypto";
import type { Box } from "./box.ts";

const bootMs = 120_000;
const answerMs = 60_000;
/** The guest has answered by then: nothing more is waited for. */
const leave = ["--idle-timeout", "10ms"];

/**
 * The command line of a guest whose console and shell are on this terminal. That time jumps when it is restored is nothing to report there.
 * The kernel is quiet: each character on a serial port leaves the guest, and QEMU's emulation of that now and then lets it run on where
 * its host was.
 */
export function guestCommandLine(tty: "hvc0" | "ttyS0"): string {
  const calm = "nowatchdog rcupdate.rcu_cpu_stall_suppress=1";
  return `console=${tty} quiet panic=-1 mitigations=off ${calm} BOX_TTY=${tty}`;
}

/** Flags of a VM that boots the Linux guest directly. */
export function directBoot({ guest }: Box): readonly string[] {
  return [
    "--kernel",
    guest.kernel,
    "--initrd",
    guest.initrd,
    "--cmdline",
    guestCommandLine("hvc0"),
  ];
}

/** Waits until the Linux in a VM that was just started has come up. */
export async function guestIsUp(box: Box, vm: string): Promise<void> {
  const greeting = "box guest is up";
  const { code, stdout, stderr } = await box.silk.run(["vm", "console", vm, ...leave], {
    until: greeting,
    timeoutMs: bootMs,
  });
  if (code !== 0 || !stdout.includes(greeting))
    throw new Error(`the guest ${vm} does not come up (${code})\n${stdout}${stderr}`);
}

/** Runs a shell script in the guest, by its console. It must succeed; what it printed is given. */
export async function inGuest(box: Box, vm: string, script: string): Promise<string> {
  const end = randomUUID();
  // The mark is not in what is sent: an echo of it is no answer.
  const input = `{ ${script}\n} </dev/null 2>&1; echo "${end.slice(0, 8)}""${end.slice(8)} $?"\n`;
  const { stdout, stderr } = await box.silk.run(["vm", "console", vm, ...leave], {
    input,
    until: `${end} `,
    timeoutMs: answerMs,
  });
  const [said = "", code] = stdout.replaceAll("\r", "").split(`${end} `);
  if (code === undefined || Number.parseInt(code, 10) !== 0)
    throw new Error(
      `in the guest ${vm}: ${script}\nended with ${code ?? "nothing"}\n${said}${stderr}`,
    );
  return said;
}
