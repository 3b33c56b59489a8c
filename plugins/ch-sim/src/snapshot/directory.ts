import { statSync } from "node:fs";

import { quote } from "../json/content.ts";
import { migrationError } from "./migration-error.ts";

export const CONFIG_FILE = "config.json";
export const STATE_FILE = "state.json";
export const MEMORY_FILE = "memory-ranges";

/** The directory that a `file://` URL names, which has to exist. The URL is taken as it is, without decoding. Throws a VmmError. */
export function urlToDirectory(url: string): string {
  const prefix = "file://";
  if (!url.startsWith(prefix))
    throw migrationError("MigrateSend", `Could not extract path from URL: ${url}`);
  const path = url.slice(prefix.length);
  let isDirectory = false;
  try {
    isDirectory = statSync(path).isDirectory();
  } catch {
    // Then it is none.
  }
  if (!isDirectory)
    throw migrationError("MigrateSend", `Destination is not a directory: ${quote(path)}`);
  return path;
}
