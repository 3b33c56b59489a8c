import type { HostFiles } from "@silkvm/core";

/** Whether a device can be used by this process, and if not, what says no. */
type DeviceState =
  | { readonly kind: "usable" }
  /** There is no such file. */
  | { readonly kind: "missing" }
  /** The file is there, and no driver behind it. */
  | { readonly kind: "no-driver" }
  /** Its permission bits or its access list do not let this user. */
  | { readonly kind: "denied"; readonly mode: number }
  /** Something above the file does not let this process, such as a container's list of devices. */
  | { readonly kind: "forbidden" }
  | { readonly kind: "other"; readonly message: string };

/** Opens a device and closes it again. Its permission bits alone tell too little: a container may refuse what they allow. */
export async function probeDevice(files: HostFiles, path: string): Promise<DeviceState> {
  const stat = await files.stat(path);
  if (stat === undefined) return { kind: "missing" };
  try {
    await files.readRange(path, 0, 0);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EACCES") return { kind: "denied", mode: stat.mode };
    if (code === "EPERM") return { kind: "forbidden" };
    if (code === "ENODEV" || code === "ENXIO") return { kind: "no-driver" };
    return { kind: "other", message };
  }
  return (await files.canAccess(path, "write"))
    ? { kind: "usable" }
    : { kind: "denied", mode: stat.mode };
}
