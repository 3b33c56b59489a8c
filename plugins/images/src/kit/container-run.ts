import { type ContainerRun, type RunSpec, SilkError } from "@silkvm/core";
import { signalNumber } from "./signal-number.ts";
import type { ImageRunConfig } from "../store/image-record.ts";

const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * What a VM of an image runs, by the rules of `docker run`. HOME and HOSTNAME are not among its variables: they are added in the guest, where the image's
 * /etc/passwd is.
 * @throws SilkError `NOTHING_TO_RUN` where neither the image nor the user names a program; `INVALID_RUN`
 */
export function containerRun(config: ImageRunConfig, spec: RunSpec = {}): ContainerRun {
  const { args = [], tty = false } = spec;
  const run: ContainerRun = {
    argv: argvOf(config, spec.entrypoint, args),
    env: envOf([...config.env, ...(spec.env ?? [])], tty),
    workingDir: spec.workingDir ?? (config.workingDir === "" ? "/" : config.workingDir),
    user: spec.user ?? config.user,
    tty,
    mounts: spec.mounts ?? [],
    ...(config.stopSignal === undefined ? {} : { stopSignal: signalName(config.stopSignal) }),
  };
  if (run.argv.length === 0)
    throw new SilkError("the image does not say what to run", {
      code: "NOTHING_TO_RUN",
      kind: "invalid",
      hint: "Name a program: silk vm run IMAGE PROGRAM…",
    });
  checkRun(run);
  return run;
}

/** @throws SilkError `INVALID_RUN` */
export function checkRun(run: ContainerRun): void {
  const { argv, env, workingDir, user, mounts, stopSignal = "SIGTERM" } = run;
  const texts = [...argv, ...env, workingDir, user, ...mounts.map(({ path }) => path)];
  if (texts.some((text) => text.includes("\0"))) throw invalidRun("a text has a NUL byte");
  if (argv.length === 0 || argv[0] === "") throw invalidRun("there is no program");
  if (argv[0]?.startsWith("-") === true)
    throw invalidRun(
      `${JSON.stringify(argv[0])} is no program`,
      "What is behind IMAGE is the program's. Flags of silk stand in front: silk vm run [FLAGS] IMAGE",
    );
  const nameless = env.find((text) => !/^[^=]+=/.test(text));
  if (nameless !== undefined)
    throw invalidRun(`the variable ${JSON.stringify(nameless)} is not NAME=value`);
  if (!workingDir.startsWith("/"))
    throw invalidRun(`the working directory ${JSON.stringify(workingDir)} is not absolute`);
  if (signalNumber(stopSignal) === undefined)
    throw invalidRun(`${JSON.stringify(stopSignal)} is no signal`);
  for (const { tag, path } of mounts) {
    if (!path.startsWith("/") || path === "/")
      throw invalidRun(
        `a volume cannot be at ${JSON.stringify(path)}: name a directory by its full path`,
      );
    if (!/^[\x21-\x7e]{1,36}$/.test(tag))
      throw invalidRun(`${JSON.stringify(tag)} is no tag of a virtiofs device`);
  }
}

function invalidRun(why: string, hint?: string): SilkError {
  return new SilkError(`this cannot be run: ${why}`, {
    code: "INVALID_RUN",
    kind: "invalid",
    ...(hint === undefined ? {} : { hint }),
  });
}

function argvOf(
  config: ImageRunConfig,
  entrypoint: readonly string[] | undefined,
  args: readonly string[],
): readonly string[] {
  if (entrypoint === undefined)
    return [...config.entrypoint, ...(args.length > 0 ? args : config.cmd)];
  // An empty one takes the image's away, and puts nothing in its place.
  return [...entrypoint.filter((word, index) => index > 0 || word !== ""), ...args];
}

/** The last one of a name counts, in the place of the first. */
function envOf(given: readonly string[], tty: boolean): readonly string[] {
  const values = new Map<string, string>();
  for (const text of [defaultPath, ...(tty ? ["TERM=xterm"] : []), ...given])
    values.set(text.split("=", 1)[0] ?? "", text);
  return [...values.values()];
}

/** Images say `SIGQUIT`, `quit` or `3`. */
function signalName(text: string): string {
  const name = text.toUpperCase();
  return /^(?:SIG|\d)/.test(name) ? name : `SIG${name}`;
}
