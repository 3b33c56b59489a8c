import { resolve } from "node:path";
import { boolean, option, string } from "@oclif/core/flags";
import type { FsCache, FsRequest, FsSandbox } from "@silkvm/virtiofs";
import { SilkCommand } from "../../../base-command.ts";
import { usageError } from "../../../cli-error.ts";
import { openEngine } from "../../../engine.ts";
import { keepFlag } from "../../../flags/device.ts";
import { oneVm } from "../../../flags/vm-args.ts";
import { fsView } from "../../../fs-list-view.ts";
import { printJson, printLine } from "../../../output/stdout.ts";

const caches = ["auto", "always", "never", "metadata"] as const satisfies readonly FsCache[];
const sandboxes = ["namespace", "chroot", "none"] as const satisfies readonly FsSandbox[];

export default class VmFsAttach extends SilkCommand {
  static override summary = "share a directory of the host with a running VM and print its id";
  static override description =
    "The VM must have been made with --shared-memory. In the guest: mount -t virtiofs TAG /mnt. With --dir silk runs a virtiofsd for the directory, which ends with the share, or with the VM; its log is beside the VM's. With --socket it is your own, which silk neither starts nor ends. The share is gone from the VM when the VM ends, unless --keep is given.";
  static override usage = "<%= command.id %> VM --tag TAG (--dir DIR | --socket SOCKET) [FLAGS]";
  static override examples = [
    {
      description: "share a directory",
      command: "silk vm fs attach web --tag src --dir ./src",
    },
    {
      description: "one that the guest cannot change, at each start",
      command: "silk vm fs attach web --tag data --dir /srv/data --readonly --keep",
    },
    {
      description: "by a virtiofsd of your own",
      command: "silk vm fs attach web --tag src --socket /run/me/virtiofsd.sock",
    },
  ];
  static override args = oneVm;
  static override flags = {
    tag: string({
      description: "what the guest mounts it by: up to 36 letters, digits, dashes and underscores",
      helpValue: "TAG",
      required: true,
    }),
    dir: string({
      description: "the directory, which silk has a virtiofsd serve",
      helpValue: "DIR",
    }),
    socket: string({
      description: "the socket of a virtiofsd of your own",
      helpValue: "SOCKET",
    }),
    readonly: boolean({ description: "the guest cannot change it (with --dir)" }),
    cache: option({
      description: "how the guest may cache it (with --dir) [default: auto]",
      options: caches,
    })(),
    sandbox: option({
      description: "what virtiofsd is locked up in (with --dir) [default: namespace]",
      options: sandboxes,
    })(),
    keep: keepFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmFsAttach);
    const { tag, keep, json } = flags;
    const request = toRequest(flags);
    await using open = await openEngine(flags, this.config);
    const { fsAttach, fsList } = await import("@silkvm/virtiofs");
    const options = { ...open.change(`attaching ${tag} to ${args.vm}`), keep };
    const id = await fsAttach(open.engine, args.vm, request, options);
    if (!json) {
      printLine(id);
      return;
    }
    const share = (await fsList(open.engine, args.vm, open.call())).find((one) => one.id === id);
    printJson(share === undefined ? { id, tag } : fsView(share));
  }
}

interface ShareFlags {
  readonly tag: string;
  readonly dir?: string | undefined;
  readonly socket?: string | undefined;
  readonly readonly: boolean;
  readonly cache?: FsCache | undefined;
  readonly sandbox?: FsSandbox | undefined;
}

function toRequest({ tag, dir, socket, readonly, cache, sandbox }: ShareFlags): FsRequest {
  if (dir !== undefined && socket !== undefined)
    throw usageError("--dir and --socket: only one of them can be given");
  if (dir === "") throw usageError("--dir: the path is missing");
  if (socket === "") throw usageError("--socket: the path is missing");
  if (dir !== undefined) return { tag, dir: resolve(dir), readonly, cache, sandbox };
  if (socket === undefined)
    throw usageError(
      "either --dir or --socket is needed",
      "--dir DIR shares a directory; --socket SOCKET is for a virtiofsd of your own.",
    );
  const given = Object.entries({ readonly, cache, sandbox });
  const misplaced = given.find(([, value]) => value !== undefined && value !== false);
  if (misplaced !== undefined)
    throw usageError(
      `--${misplaced[0]} is for --dir: what your own virtiofsd does, you say when you start it`,
    );
  return { tag, socket: resolve(socket) };
}
