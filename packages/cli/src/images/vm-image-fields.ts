import type { GuestConfig, VmConfig } from "@silkvm/core";
import type { Field } from "../output/fields.ts";
import { formatSize } from "../output/format-size.ts";
import { shellQuote } from "../output/shell-quote.ts";

/** What a VM was made of, and what its guest is told. */
export function imageFields(config: VmConfig): Field[] {
  const { image, imageDigest, imageType, imageKernel, guest, run } = config;
  if (image === undefined) return [];
  return [
    ["Name", image],
    ["Digest", imageDigest],
    ["Type", imageType],
    ["Kernel", imageKernel],
    ...guestFields(guest),
    ["Runs", run?.argv.map(shellQuote).join(" ")],
  ];
}

/** Of user-data only how much there is: it may hold secrets. */
function guestFields({ user, sshKeys = [], userData }: GuestConfig = {}): Field[] {
  return [
    ["User", user],
    ...sshKeys.map((key, index): Field => [index === 0 ? "SSH keys" : "", shortKey(key)]),
    ["User-data", userData === undefined ? undefined : formatSize(Buffer.byteLength(userData))],
  ];
}

/** `ssh-ed25519 …J2mVnYd0vS1 me@laptop`: the end is what differs. */
function shortKey(key: string): string {
  const [type = "", body = "", ...comment] = key.split(/\s+/);
  const end = body.length > 16 ? `…${body.slice(-12)}` : body;
  return [type, end, ...comment].join(" ");
}
