import { readElf } from "./elf.ts";

/** What a module says that it needs. */
export interface ModuleInfo {
  /** Of the kernel that it is for; empty where it does not say. */
  readonly version: string;
  /** Names of modules, with underscores. */
  readonly depends: readonly string[];
  /** Names, or aliases, of modules that should be there before it. */
  readonly softPre: readonly string[];
}

/** `virtio_net` for `kernel/drivers/net/virtio-net.ko.xz`, say. */
export function moduleName(path: string): string {
  const file = path.slice(path.lastIndexOf("/") + 1);
  return file.replace(/\.ko(?:\.\w+)?$/, "").replaceAll("-", "_");
}

/** Reads a module that is not compressed; undefined for what is none. */
export function readModuleInfo(module: Buffer): ModuleInfo | undefined {
  const section = readElf(module)?.section(".modinfo");
  if (section === undefined) return undefined;
  const fields = section.toString("latin1").split("\0");
  const values = (key: string): readonly string[] =>
    fields
      .filter((field) => field.startsWith(`${key}=`))
      .map((field) => field.slice(key.length + 1));
  const named = (list: readonly string[]): readonly string[] =>
    list.filter((name) => name !== "").map((name) => name.replaceAll("-", "_"));
  return {
    version: values("vermagic")[0]?.split(" ")[0] ?? "",
    depends: named(values("depends").flatMap((list) => list.split(","))),
    softPre: named(
      values("softdep").flatMap(
        (text) => /pre:\s*([^:]*?)(?:\s*post:|$)/.exec(text)?.[1]?.split(/\s+/) ?? [],
      ),
    ),
  };
}
