import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";

/** What oclif asks `wsl-utils`: whether it runs in the Windows Subsystem for Linux, and not in a container there. */
export const isWsl: boolean = isWslKernel() && !isContainer();

function isWslKernel(): boolean {
  if (release().toLowerCase().includes("microsoft") || contains("/proc/version", "microsoft"))
    return true;
  return existsSync("/proc/sys/fs/binfmt_misc/WSLInterop") || existsSync("/run/WSL");
}

function isContainer(): boolean {
  return (
    existsSync("/run/.containerenv") ||
    existsSync("/.dockerenv") ||
    contains("/proc/self/cgroup", "docker") ||
    contains("/proc/self/mountinfo", "/docker/containers/")
  );
}

function contains(path: string, word: string): boolean {
  try {
    return readFileSync(path, "utf8").toLowerCase().includes(word);
  } catch {
    return false;
  }
}
