import { type CallOptions, type Host, SilkError } from "@silkvm/core";
import { runTool, type Tool } from "./tool.ts";

const qemuImg: Tool = {
  command: "qemu-img",
  missingCode: "QEMU_IMG_NOT_FOUND",
  failedCode: "QEMU_IMG_FAILED",
  debianPackage: "qemu-utils",
};

/** What `qemu-img info` says of an image. */
export interface ImageInfo {
  readonly format: string;
  readonly virtualSizeBytes: number;
  /** Bytes that the file takes on the disk. */
  readonly allocatedBytes: number;
  /** Path of the image below an overlay. */
  readonly backingFile?: string | undefined;
  readonly backingFormat?: string | undefined;
}

/**
 * Makes a qcow2 overlay: reads fall through to the backing image, writes stay in the overlay.
 * @param request.path absolute
 * @param request.backingPath absolute, so that the overlay can be moved without its base
 * @param request.sizeBytes size that the guest sees; default that of the backing image
 * @throws SilkError `QEMU_IMG_NOT_FOUND`, `QEMU_IMG_FAILED`, `DISK_FULL`
 */
export async function createQcow2Overlay(
  host: Host,
  request: CallOptions & {
    readonly path: string;
    readonly backingPath: string;
    readonly backingFormat: "raw" | "qcow2";
    readonly sizeBytes?: number | undefined;
  },
): Promise<void> {
  const { path, backingPath, backingFormat, sizeBytes, signal } = request;
  absolute(path);
  absolute(backingPath);
  const args = ["create", "-q", "-f", "qcow2", "-F", backingFormat, "-b", backingPath, path];
  if (sizeBytes !== undefined) args.push(String(sizeBytes));
  await runTool(host, qemuImg, args, `making the overlay ${path}`, { signal });
}

/**
 * Tells an overlay that the image below it is elsewhere now: the same image, which is not looked at.
 * @param request.path absolute
 * @param request.backingPath absolute
 * @throws SilkError `QEMU_IMG_NOT_FOUND`, `QEMU_IMG_FAILED`
 */
export async function moveQcow2Backing(
  host: Host,
  request: CallOptions & {
    readonly path: string;
    readonly backingPath: string;
    readonly backingFormat: "raw" | "qcow2";
  },
): Promise<void> {
  const { path, backingPath, backingFormat, signal } = request;
  absolute(path);
  absolute(backingPath);
  const args = ["rebase", "-u", "-f", "qcow2", "-F", backingFormat, "-b", backingPath, path];
  await runTool(host, qemuImg, args, `moving the base of the overlay ${path}`, { signal });
}

/**
 * Asks qemu-img about an image, also one that a running VM has locked.
 * @param path absolute
 * @throws SilkError `QEMU_IMG_NOT_FOUND`, `QEMU_IMG_FAILED`
 */
export async function imageInfo(
  host: Host,
  path: string,
  { signal }: CallOptions = {},
): Promise<ImageInfo> {
  const doing = `reading the image ${path}`;
  absolute(path);
  const args = ["info", "-U", "--output=json", path];
  const printed = await runTool(host, qemuImg, args, doing, { signal });
  const info = parse(printed);
  if (info === undefined)
    throw new SilkError(`${doing}: qemu-img printed something else than an image's facts`, {
      code: qemuImg.failedCode,
      kind: "failed",
      details: { printed: printed.slice(0, 1000) },
    });
  return info;
}

function parse(printed: string): ImageInfo | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(printed) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const { format } = value;
  const virtualSizeBytes = value["virtual-size"];
  const allocatedBytes = value["actual-size"];
  if (
    typeof format !== "string" ||
    typeof virtualSizeBytes !== "number" ||
    typeof allocatedBytes !== "number"
  )
    return undefined;
  const backingFile = value["full-backing-filename"] ?? value["backing-filename"];
  const backingFormat = value["backing-filename-format"];
  return {
    format,
    virtualSizeBytes,
    allocatedBytes,
    ...(typeof backingFile === "string" ? { backingFile } : {}),
    ...(typeof backingFormat === "string" ? { backingFormat } : {}),
  };
}

/** What does not begin with a slash, qemu-img may take for an option or for a protocol (`json:`, `nbd:`) instead of a file. */
function absolute(path: string): void {
  if (!path.startsWith("/")) throw new TypeError(`not an absolute path: ${path}`);
}
