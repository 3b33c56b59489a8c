import type { SilkErrorJson } from "@silkvm/core";

/** The flag, and the key in its value, that a field of a VM's spec was typed with. */
const flags: readonly (readonly [field: RegExp, flag: string])[] = [
  [/^image$/, "the image"],
  [/^guest\.user$/, "--user"],
  [/^imageKernel$/, "--image-kernel"],
  [/^guest\.sshKeys\.\d+$/, "--ssh-key"],
  [/^guest\.userData$/, "--user-data"],
  [/^boot\.(kernel|initrd|cmdline|firmware)$/, "--$1"],
  [/^(cpus|nics)$/, "--$1"],
  [/^(memory|storage)Bytes$/, "--$1"],
  [/^netQueueSize$/, "--queue-size"],
  [/^diskQueueSize$/, "--disk-queue-size"],
  [/^disks\.\d+\.directIo$/, "--disk: direct"],
  [/^disks\.\d+\.(\w+)$/, "--disk: $1"],
  [/^dataDisks\.\d+\.sizeBytes$/, "--data-disk: size"],
  [/^dataDisks\.\d+\.mountPoint$/, "--data-disk: mount"],
  [/^dataDisks\.\d+\.directIo$/, "--data-disk: directio"],
  [/^dataDisks\.\d+\.(\w+)$/, "--data-disk: $1"],
  [/^labels\.(.*)$/s, "--label $1"],
];

/** An error about a VM's spec in the words of the command line. Any other error is given back as it is. */
export function inFlags(error: SilkErrorJson): SilkErrorJson {
  if (error.code !== "INVALID_SPEC") return error;
  const issues: unknown = error.details?.["issues"];
  if (!Array.isArray(issues)) return error;
  const told = (issues as readonly { readonly path: string; readonly message: string }[]).map(
    ({ path, message }) => {
      const known = flags.find(([field]) => field.test(path));
      return known === undefined ? undefined : `${path.replace(...known)} ${message}`;
    },
  );
  return told.length === 0 || told.includes(undefined)
    ? error
    : { ...error, message: told.join("; ") };
}
