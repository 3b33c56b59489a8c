import { readFile } from "node:fs/promises";
import { orElse } from "../errors.ts";

/** The arguments of a process, its program's name first; none where it has ended or is a thread of the kernel. */
export async function readArgv(pid: number): Promise<readonly string[]> {
  const text = await orElse(readFile(`/proc/${pid}/cmdline`, "utf8"), "", "ENOENT", "ESRCH");
  if (text === "") return [];
  return (text.endsWith("\0") ? text.slice(0, -1) : text).split("\0");
}
