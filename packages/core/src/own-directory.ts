import { sep } from "node:path";
import type { Host } from "./host.ts";

/**
 * Which of some directories a path is below, for what must not be given away from silk's own ones.
 * @param real the path with every symlink resolved; with a slash at its end it may also be one of the directories itself
 */
export async function directoryAbove(
  { files }: Pick<Host, "files">,
  real: string,
  directories: readonly string[],
): Promise<string | undefined> {
  for (const directory of directories) {
    // What nobody has made yet has nothing in it.
    if ((await files.stat(directory)) === undefined) continue;
    if (real.startsWith((await files.realpath(directory)) + sep)) return directory;
  }
  return undefined;
}
