import { fileURLToPath } from "node:url";
import type { Host } from "@silkvm/core";
import { applets } from "./applets.ts";
import { cpio, cpioEnd } from "./cpio.ts";

const scripts = ["init.sh", "attach.sh", "enter.sh", "start.sh", "go.sh", "dhcp.sh"];
const directories = ["bin", "cow", "dev", "layers", "proc", "root", "run", "sys"];

/** The programs of the boot that are silk's own, by their names. */
export async function readScripts(host: Host): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const name of scripts) {
    const url = new URL(`../../guest/${name}`, import.meta.url);
    texts.set(name, await host.files.readText(fileURLToPath(url)));
  }
  return texts;
}

/**
 * An initramfs as the kernel takes it. It is not compressed: it has a few megabytes, is read once, and so needs nothing of the kernel.
 * @param modules from {@link prepareKernel}
 */
export function makeInitramfs(parts: {
  readonly scripts: ReadonlyMap<string, string>;
  readonly busybox: Buffer;
  readonly modules: Buffer | undefined;
}): Buffer {
  return Buffer.concat([
    cpio([
      ...directories.map((path) => ({ path, mode: 0o040755 })),
      { path: "bin/busybox", mode: 0o100755, content: parts.busybox },
      ...applets.map((name) => ({ path: `bin/${name}`, mode: 0o120777, content: "busybox" })),
      { path: "applets", mode: 0o100644, content: `${applets.join("\n")}\n` },
      ...[...parts.scripts].map(([name, content]) => ({ path: name, mode: 0o100755, content })),
      { path: "init", mode: 0o120777, content: "init.sh" },
    ]),
    parts.modules ?? cpio([{ path: "modules.order", mode: 0o100644 }]),
    cpioEnd(),
  ]);
}
