import { dirname, join } from "node:path";
import type { CallOptions, Host } from "@silkvm/core";
import { checkSpace, runTool, type Tool } from "@silkvm/storage";
import { tooLarge } from "../errors.ts";

/** Node has no xz. */
const xz: Tool = {
  command: "xz",
  missingCode: "XZ_NOT_FOUND",
  failedCode: "XZ_FAILED",
  debianPackage: "xz-utils",
};
const timeoutMs = 4 * 3_600_000;

export interface UnxzOptions extends CallOptions {
  /** What people call it, for messages. */
  readonly what: string;
  /** The most that it may unpack to, in bytes. */
  readonly mostBytes: number;
}

/** Whether a file begins as xz's do. */
export async function isXz({ files }: Pick<Host, "files">, path: string): Promise<boolean> {
  return Buffer.from(await files.readRange(path, 0, 6)).toString("latin1") === "\xfd7zXZ\0";
}

/**
 * Unpacks FILE.xz into FILE, with holes where there are zeros; FILE stays alone.
 * @returns the path of FILE
 * @throws SilkError `IMAGE_TOO_LARGE`, `DISK_FULL`, `XZ_NOT_FOUND`, `XZ_FAILED`
 */
export async function unxz(
  host: Host,
  path: string,
  { what, mostBytes, signal }: UnxzOptions,
): Promise<string> {
  const doing = `unpacking ${what}`;
  const list = await runTool(host, xz, ["--robot", "--list", path], doing, { signal, timeoutMs });
  const sizeBytes = Number(/^totals\t\d+\t\d+\t\d+\t(\d+)/m.exec(list)?.[1] ?? Number.NaN);
  if (!(sizeBytes <= mostBytes)) throw tooLarge(what, mostBytes);
  await checkSpace(host, dirname(path), Math.floor(sizeBytes / 64), what);
  await runTool(host, xz, ["--decompress", "--force", path], doing, { signal, timeoutMs });
  return path.replace(/\.xz$/, "");
}

/** The same for a file that stays as it is: it is unpacked into a directory of the caller's own. */
export async function unxzInto(
  host: Host,
  path: string,
  directory: string,
  options: UnxzOptions,
): Promise<string> {
  const packed = join(directory, "unpacked.xz");
  await host.files.link(path, packed).catch(async () => {
    await host.files.copy(path, packed, { signal: options.signal });
  });
  return await unxz(host, packed, options);
}
