import { quote } from "./json/content.ts";

/**
 * An error as the real program has it: a name, a message, and what caused it. Over the API it is the list of messages from
 * the outermost to the innermost; in the log it is the names, one inside the other.
 */
export class VmmError extends Error {
  override readonly name: string;
  readonly source: VmmError | undefined;
  /** What stands in the parentheses after the name in the log, where that is not the source. */
  readonly detail: string | undefined;

  constructor(name: string, message: string, source?: VmmError, detail?: string) {
    super(message);
    this.name = name;
    this.source = source;
    this.detail = detail;
  }
}

/** The messages from the outermost error to the innermost. */
export function errorChain(error: VmmError): string[] {
  const chain: string[] = [];
  for (let at: VmmError | undefined = error; at !== undefined; at = at.source)
    chain.push(at.message);
  return chain;
}

/** The names, one inside the other, as the log shows an error. */
export function debugText(error: VmmError): string {
  if (error.detail !== undefined)
    return error.name === "" ? error.detail : `${error.name}${error.detail}`;
  return error.source === undefined ? error.name : `${error.name}(${debugText(error.source)})`;
}

/** An error that was built around a text: its name is its message. */
export function plainError(message: string, source?: VmmError): VmmError {
  const detail = source === undefined ? message : `${message}\n\nCaused by:\n    ${source.message}`;
  return new VmmError("", message, source, detail);
}

interface Errno {
  readonly code: number;
  readonly kind: string;
  readonly text: string;
}

const ERRNOS: Readonly<Record<string, Errno>> = {
  EPERM: { code: 1, kind: "PermissionDenied", text: "Operation not permitted" },
  ENOENT: { code: 2, kind: "NotFound", text: "No such file or directory" },
  EIO: { code: 5, kind: "Uncategorized", text: "Input/output error" },
  ENXIO: { code: 6, kind: "Uncategorized", text: "No such device or address" },
  EBADF: { code: 9, kind: "Uncategorized", text: "Bad file descriptor" },
  EAGAIN: { code: 11, kind: "WouldBlock", text: "Resource temporarily unavailable" },
  ENOMEM: { code: 12, kind: "OutOfMemory", text: "Cannot allocate memory" },
  EACCES: { code: 13, kind: "PermissionDenied", text: "Permission denied" },
  EBUSY: { code: 16, kind: "ResourceBusy", text: "Device or resource busy" },
  EEXIST: { code: 17, kind: "AlreadyExists", text: "File exists" },
  ENODEV: { code: 19, kind: "Uncategorized", text: "No such device" },
  ENOTDIR: { code: 20, kind: "NotADirectory", text: "Not a directory" },
  EISDIR: { code: 21, kind: "IsADirectory", text: "Is a directory" },
  EINVAL: { code: 22, kind: "InvalidInput", text: "Invalid argument" },
  EMFILE: { code: 24, kind: "Uncategorized", text: "Too many open files" },
  ETXTBSY: { code: 26, kind: "ExecutableFileBusy", text: "Text file busy" },
  EFBIG: { code: 27, kind: "FileTooLarge", text: "File too large" },
  ENOSPC: { code: 28, kind: "StorageFull", text: "No space left on device" },
  EROFS: { code: 30, kind: "ReadOnlyFilesystem", text: "Read-only file system" },
  ENAMETOOLONG: { code: 36, kind: "InvalidFilename", text: "File name too long" },
  ELOOP: { code: 40, kind: "FilesystemLoop", text: "Too many levels of symbolic links" },
  EADDRINUSE: { code: 98, kind: "AddrInUse", text: "Address already in use" },
  ECONNRESET: { code: 104, kind: "ConnectionReset", text: "Connection reset by peer" },
  ECONNREFUSED: { code: 111, kind: "ConnectionRefused", text: "Connection refused" },
};

/** An operating system error by its name, such as "ENOENT". */
export function osError(name: string): VmmError {
  const errno = ERRNOS[name] ?? { code: 5, kind: "Uncategorized", text: name };
  return new VmmError(
    "Os",
    `${errno.text} (os error ${errno.code})`,
    undefined,
    ` { code: ${errno.code}, kind: ${errno.kind}, message: ${quote(errno.text)} }`,
  );
}

/** What Node threw for a failed system call, as an operating system error. */
export function fromNode(error: unknown): VmmError {
  const code = (error as NodeJS.ErrnoException).code;
  return code === undefined ? plainError(String(error)) : osError(code);
}

/** The VM's own errors that carry nothing. */
export const vmErrors = {
  alreadyCreated: () => new VmmError("VmAlreadyCreated", "VM is already created"),
  missingConfig: () => new VmmError("VmMissingConfig", "VM config is missing"),
  notCreated: () => new VmmError("VmNotCreated", "VM is not created"),
  notRunning: () => new VmmError("VmNotRunning", "VM is not running"),
} as const;

/** An error of the device manager, as the VM reports it. */
export function deviceManager(source: VmmError): VmmError {
  return new VmmError("DeviceManager", "Error from device manager", source);
}

/** The real program dies of this instead of reporting an error. */
export class Panic extends Error {
  readonly location: string;

  constructor(location: string, message: string) {
    super(message);
    this.location = location;
  }
}
