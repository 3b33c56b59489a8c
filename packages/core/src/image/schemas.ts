import * as v from "valibot";

const noNul = v.pipe(
  v.string(),
  v.check((text) => !text.includes("\0"), "must not hold a NUL byte"),
);
const words = v.array(noNul);
const environment = v.array(v.pipe(noNul, v.regex(/^[^=]+=/, "must be NAME=VALUE")));
const absolutePath = v.pipe(noNul, v.startsWith("/", "must be an absolute path"));

/** What fits into a record and a manifest. */
const largestUserDataLength = 1024 ** 2;

export const guestSchema = v.strictObject({
  user: v.optional(v.string()),
  sshKeys: v.optional(v.array(v.string())),
  userData: v.optional(
    v.pipe(v.string(), v.maxLength(largestUserDataLength, "is too long: at most 1 MiB")),
  ),
});

const mount = v.strictObject({
  tag: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,35}$/, "is no tag of a share")),
  path: absolutePath,
  readonly: v.boolean(),
});

export const containerRunSchema = v.strictObject({
  argv: v.pipe(words, v.minLength(1, "must name a program")),
  env: environment,
  workingDir: absolutePath,
  user: noNul,
  tty: v.boolean(),
  mounts: v.array(mount),
  stopSignal: v.optional(v.pipe(v.string(), v.regex(/^SIG[A-Z0-9+-]+$|^\d+$/))),
});

export const runSpecSchema = v.strictObject({
  args: v.optional(words),
  entrypoint: v.optional(words),
  env: v.optional(environment),
  workingDir: v.optional(absolutePath),
  user: v.optional(noNul),
  tty: v.optional(v.boolean()),
  mounts: v.optional(v.array(mount)),
});
