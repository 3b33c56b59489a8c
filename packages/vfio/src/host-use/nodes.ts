import type { Host } from "@silkvm/core";
import { followLink, readKernelFile } from "../kernel-files.ts";

const classDir = "/sys/dev/char";

/** A character device: a screen, a sound card, a keyboard, a port. */
export interface CharacterDevice {
  /** Its place among the devices. */
  readonly path: string;
}

/** All character devices of the host. */
export async function readCharacterDevices({
  files,
}: Pick<Host, "files">): Promise<readonly CharacterDevice[]> {
  const numbers = await files.list(classDir);
  const paths = await Promise.all(
    numbers.map((number) => followLink(files, `${classDir}/${number}`)),
  );
  return paths.filter((path) => path !== undefined).map((path) => ({ path }));
}

/** The files below /dev of those that a device has. */
export async function nodesOf(
  { files }: Pick<Host, "files">,
  devicePath: string,
  all: readonly CharacterDevice[],
): Promise<readonly { readonly name: string; readonly node: string }[]> {
  const own = all.filter(({ path }) => devicePath !== "" && path.startsWith(`${devicePath}/`));
  const names = await Promise.all(
    own.map(async ({ path }) => {
      const told = (await readKernelFile(files, `${path}/uevent`)) ?? "";
      return /^DEVNAME=(.+)$/m.exec(told)?.[1];
    }),
  );
  return names.flatMap((name) => (name === undefined ? [] : [{ name, node: `/dev/${name}` }]));
}
