import { join } from "node:path";
import { type Host, SilkError, validate } from "@silkvm/core";
import * as v from "valibot";
import { conflistSchema } from "./conflist.ts";
import { resultSchema } from "./result.ts";

const attachmentSchema = v.object({
  version: v.literal(1),
  /** The namespace's name too. */
  containerId: v.string(),
  ifname: v.string(),
  /** What the network was when the interface was added: by this it is removed, whatever has become of the files since. */
  conflist: conflistSchema,
  /** What was asked of the plugins. */
  mac: v.optional(v.string()),
  ip: v.optional(v.string()),
  /** Left out until ADD has answered. */
  result: v.optional(resultSchema),
});

/** An interface that CNI was asked for, as it is remembered until CNI has removed it. */
export type Attachment = v.InferOutput<typeof attachmentSchema>;

/** The files of a VM's attachments. */
export interface AttachmentFiles {
  path(ifname: string): string;
  /** @throws SilkError `CNI_STATE_DAMAGED` */
  read(ifname: string): Promise<Attachment | undefined>;
  write(attachment: Attachment): Promise<void>;
  remove(ifname: string): Promise<void>;
  /** Whether there are none. */
  isEmpty(): Promise<boolean>;
  /** Removes what is left of them. */
  clear(): Promise<void>;
}

/** Attachments as files of one directory for each VM. They can hold secrets of a network's configuration: only their owner reads them. */
export function attachmentFiles(host: Host, stateDir: string, vmId: string): AttachmentFiles {
  const directory = join(stateDir, vmId);
  const path = (ifname: string): string => join(directory, `${ifname}.json`);
  return {
    path,
    read: async (ifname) => {
      const file = path(ifname);
      if ((await host.files.stat(file)) === undefined) return undefined;
      try {
        const value: unknown = JSON.parse(await host.files.readText(file));
        return validate(attachmentSchema, value, "CNI_STATE_DAMAGED", file);
      } catch (error) {
        throw new SilkError(`${file} is damaged: ${(error as Error).message}`, {
          code: "CNI_STATE_DAMAGED",
          kind: "failed",
          hint: `What CNI gave the VM cannot be given back by it. Remove that file to go on without; an address may stay reserved.`,
          details: { path: file },
          cause: error,
        });
      }
    },
    write: async (attachment) => {
      await host.files.mkdir(directory, { mode: 0o700 });
      const text = `${JSON.stringify(attachment, undefined, 2)}\n`;
      await host.files.writeAtomic(path(attachment.ifname), text, { mode: 0o600 });
    },
    remove: (ifname) => host.files.remove(path(ifname)),
    isEmpty: async () =>
      (await host.files.list(directory)).every((name) => !name.endsWith(".json")),
    clear: () => host.files.remove(directory),
  };
}
