import type * as Native from "@silkvm/sys";

type Sys = typeof Native;

let loaded: Sys | undefined;

/** The system calls that Node lacks, loaded when the first of them is needed: a VMM without a socket and a PTY needs none. */
export async function sys(): Promise<Sys> {
  loaded ??= await import("@silkvm/sys");
  return loaded;
}

/** The same where nothing can be waited for; only after `sys()` has resolved once. */
export function loadedSys(): Sys {
  if (loaded === undefined) throw new Error("The system calls are not loaded yet");
  return loaded;
}
