import type { CallOptions, ProcessIdentity } from "@silkvm/core";
import { waitPidfd } from "../../pidfd-wait.ts";
import { withPinned } from "./pinned.ts";

/** Waits until this very process is dead. False where the time passed first. */
export async function waitForExit(
  identity: ProcessIdentity,
  options: CallOptions & { readonly timeoutMs: number },
): Promise<boolean> {
  options.signal?.throwIfAborted();
  return (await withPinned(identity, (pidfd) => waitPidfd(pidfd, options))) ?? true;
}
