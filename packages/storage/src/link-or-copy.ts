import type { CallOptions, Host } from "@silkvm/core";

/** Other file system; a file system, or a protected file, that allows no second name; too many names. */
const noLink: ReadonlySet<unknown> = new Set(["EXDEV", "EPERM", "EMLINK"]);

/**
 * Gives a file that nobody writes to a second name, or, where that cannot be, copies it: by shared blocks where the file system can, else with its holes kept.
 * @throws Node's errors: EEXIST where the target is there, ENOENT, ENOSPC
 */
export async function linkOrCopy(
  host: Host,
  from: string,
  to: string,
  options: CallOptions = {},
): Promise<"linked" | "copied"> {
  options.signal?.throwIfAborted();
  try {
    await host.files.link(from, to);
    return "linked";
  } catch (error) {
    if (!noLink.has((error as { code?: unknown }).code)) throw error;
  }
  await host.files.copy(from, to, options);
  return "copied";
}
