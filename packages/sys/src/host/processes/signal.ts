import type { ProcessIdentity } from "@silkvm/core";
import { pidfdSendSignal } from "../../pidfd.ts";
import { hasCode } from "../errors.ts";
import { withPinned } from "./pinned.ts";

/** Sends a signal to this very process and to no other. False where it is dead. */
export async function signal(identity: ProcessIdentity, name: NodeJS.Signals): Promise<boolean> {
  const isSent = await withPinned(identity, (pidfd) => {
    try {
      pidfdSendSignal(pidfd, name);
      return true;
    } catch (error) {
      if (hasCode(error, "ESRCH")) return false;
      throw error;
    }
  });
  return isSent ?? false;
}
