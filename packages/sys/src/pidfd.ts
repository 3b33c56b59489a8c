import { constants } from "node:os";
import { checked, libc } from "./libc.ts";

// The numbers that every architecture shares: musl has no functions of these names.
const SYS_pidfd_send_signal = 424;
const SYS_pidfd_open = 434;

/**
 * A descriptor of a process, which stays with this very process even after its pid has been given to another.
 * The caller closes it. It is not inherited by other programs.
 * @throws SystemError ESRCH where there is no such process
 */
export function pidfdOpen(pid: number): number {
  return checked("pidfd_open", () => libc().syscall(SYS_pidfd_open, "long", pid, "long", 0));
}

/**
 * Sends a signal to the process behind a pidfd. A zombie takes it without effect.
 * @param signal its name, or its number; 0 only checks
 * @throws SystemError ESRCH where the process is dead and gone; EPERM where it is not ours to signal
 */
export function pidfdSendSignal(fd: number, signal: NodeJS.Signals | number): void {
  const number = typeof signal === "number" ? signal : constants.signals[signal];
  checked("pidfd_send_signal", () =>
    libc().syscall(SYS_pidfd_send_signal, "long", fd, "long", number, "void *", null, "long", 0),
  );
}
