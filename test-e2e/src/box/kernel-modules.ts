import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Kernel } from "./kernel.ts";

/**
 * The files of these modules and of all that they need, in the order in which they can be inserted. What is built into the kernel
 * needs no file. Throws where the kernel has no such module.
 */
export function moduleFiles(kernel: Kernel, names: readonly string[]): readonly string[] {
  const needs = dependencies(kernel);
  const builtIn = new Set(lines(kernel, "modules.builtin").map(moduleName));
  const files = new Set<string>();
  for (const name of names) {
    if (builtIn.has(name)) continue;
    const found = [...needs.keys()].find((file) => moduleName(file) === name);
    if (found === undefined) throw new Error(`the kernel ${kernel.release} has no module ${name}`);
    // What a module needs is listed with the last to be inserted first.
    for (const file of [found, ...(needs.get(found) ?? [])].toReversed()) files.add(file);
  }
  return [...files].map((file) => join(kernel.modulesDir, file));
}

function dependencies(kernel: Kernel): ReadonlyMap<string, readonly string[]> {
  return new Map(
    lines(kernel, "modules.dep").map((line) => {
      const [file = "", ...needed] = line.split(/:? +|:$/).filter((word) => word !== "");
      return [file, needed] as const;
    }),
  );
}

function lines(kernel: Kernel, file: string): readonly string[] {
  const text = readFileSync(join(kernel.modulesDir, file), "utf8");
  return text.split("\n").filter((line) => line !== "");
}

/** `virtio_net` for `kernel/drivers/net/virtio-net.ko.xz`, say. */
function moduleName(file: string): string {
  return basename(file)
    .replace(/\.ko(?:\.\w+)?$/, "")
    .replaceAll("-", "_");
}
