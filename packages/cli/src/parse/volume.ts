import { resolve } from "node:path";
import { usageError } from "../cli-error.ts";

/** A directory of this host, and where a container has it. */
export interface Volume {
  /** Absolute. */
  readonly directory: string;
  /** Absolute, in the guest. */
  readonly path: string;
  readonly readonly: boolean;
}

/**
 * Reads `DIR:PATH[:ro|:rw]`.
 * @throws CliError of kind `invalid`
 */
export function parseVolume(text: string): Volume {
  const [directory = "", path = "", mode = "rw", ...more] = text.split(":");
  const wrong = (why: string, hint = "It is DIR:PATH or DIR:PATH:ro, such as ./data:/data") =>
    usageError(`--volume ${JSON.stringify(text)}: ${why}`, hint);
  if (more.length > 0) throw wrong("there are too many colons");
  if (!path.startsWith("/") || path === "/")
    throw wrong("where the program sees it must be a full path, and not the root");
  if (!/[/.]/.test(directory))
    throw wrong(
      directory === "" ? "the directory is missing" : `${directory} is no path of a directory`,
      `silk has no volumes by name. A directory that is here is ./${directory}`,
    );
  if (mode !== "ro" && mode !== "rw") throw wrong(`${JSON.stringify(mode)} is neither ro nor rw`);
  return { directory: resolve(directory), path, readonly: mode === "ro" };
}
