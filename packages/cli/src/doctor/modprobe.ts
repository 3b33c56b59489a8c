import type { CheckContext } from "./context.ts";
import { asRoot } from "./distribution.ts";
import type { Fix } from "./finding.ts";

/** The fix that loads a module of the kernel: automatic for root. */
export function loadModuleFix(module: string, { host }: CheckContext): Fix {
  const { uid } = host.facts;
  return {
    command: asRoot(`modprobe ${module}`, uid),
    description: `Load the kernel's module ${module}; a line in /etc/modules-load.d loads it at every boot.`,
    automatic: uid === 0,
  };
}

/** Loads a module; says what was done. */
export async function loadModule(module: string, { host, signal }: CheckContext): Promise<string> {
  const { exitCode, stderr } = await host.processes.run({
    command: "modprobe",
    args: [module],
    signal,
  });
  if (exitCode !== 0) throw new Error(stderr.trim() || `modprobe ${module} ended with ${exitCode}`);
  return `loaded the module ${module}`;
}
