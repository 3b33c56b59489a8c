/** Programs of these directories (mkfs, ip) are of use without root too, but not on the PATH of every user. */
const systemDirectories = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Where programs are looked for: PATH, then the directories of system programs. */
export function searchPath(): string {
  const own = (process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
    .split(":")
    .filter((directory) => directory !== "");
  return [...new Set([...own, ...systemDirectories])].join(":");
}

/** This process's environment, with that search path and what is added. */
export function childEnvironment(added: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { ...process.env, PATH: searchPath(), ...added };
}
