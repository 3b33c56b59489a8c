import type { Host, Logger } from "@silkvm/core";
import type { FsData } from "./fs-device.ts";
import { hangUp } from "./hang-up.ts";
import { findServer } from "./server-processes.ts";

const lookAgainMs = 200;

/** How long each side may take. */
export interface HangUpOptions {
  /** How long the VMM and a virtiofsd may take to come to terms. */
  readonly agreeMs: number;
  /** How long a VMM that was hung up on may take to say so. */
  readonly resignMs: number;
  /** Aborted as soon as the VMM has answered. */
  readonly signal: AbortSignal;
}

/** Has the VMM give up a virtiofsd of silk's that dies, or does not answer. Of the user's own nothing is touched. */
export async function hangUpInTime(
  { host, logger }: { readonly host: Host; readonly logger: Logger },
  { dir, socket }: FsData,
  { agreeMs, resignMs, signal }: HangUpOptions,
): Promise<void> {
  if (dir === undefined) return;
  const deadlineMs = host.clock.monotonicMs() + agreeMs;
  const hasPassed = async (ms: number): Promise<boolean> =>
    await host.clock.delay(ms, { signal }).then(
      () => true,
      () => false,
    );
  try {
    do if (!(await hasPassed(lookAgainMs))) return;
    while (host.clock.monotonicMs() < deadlineMs && (await findServer(host, socket)).length > 0);
    if (signal.aborted) return;
    await using _ = await hangUp(host, socket);
    await hasPassed(resignMs);
  } catch (error) {
    // What went wrong with the device itself is told by the VMM.
    logger.warn(`the VMM may wait for ${socket} for a minute: ${(error as Error).message}`);
  }
}
