import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { access, copyFile, mkdir, readFile, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const sourceDir = fileURLToPath(new URL("../guest/", import.meta.url));
const cacheDir = fileURLToPath(new URL("../node_modules/.cache/guest/", import.meta.url));

/** For code that runs with no C library under it, and on emulated CPUs where vector registers may be missing. */
const guestFlags = [
  "-m64 -std=c11 -Os -Wall -Wextra -Werror",
  "-ffreestanding -nostdlib -static -no-pie -fno-pic",
  "-mno-red-zone -mgeneral-regs-only -fcf-protection=none",
  "-fno-stack-protector -fno-asynchronous-unwind-tables",
  "-fno-strict-aliasing -fno-tree-loop-distribute-patterns",
  "-Wl,--build-id=none -Wl,-z,noexecstack -T guest.ld",
].flatMap((flags) => flags.split(" "));
const shimFlags = ["-shared", "-fPIC", "-O1", "-ldl"];

/** Where and with what the programs that tests need are built. */
export interface BuildOptions {
  /** Directory that gets a copy; made when it is missing. By default the program stays in the build cache. */
  readonly outDir?: string;
  /** The C compiler. Default: `gcc` on PATH. */
  readonly compiler?: string;
  readonly signal?: AbortSignal;
}

/**
 * Builds the test guest: a kernel that boots on a VMM by PVH within milliseconds and obeys commands on its consoles.
 * Its commands are in `guest/README.md`. It serves as a `--kernel` as well as a `--firmware`.
 *
 * A build with the same sources and flags as before is taken from a cache. Throws an Error that says what to install
 * when there is no compiler, and one with the compiler's words when it fails.
 */
export async function buildGuest(options: BuildOptions): Promise<{ kernelPath: string }> {
  const files = (await readdir(sourceDir)).filter((name) => /\.(?:c|h|S|ld)$/.test(name)).sort();
  const inputs = files.filter((name) => /\.[cS]$/.test(name));
  const kernelPath = await build(
    "silk-guest",
    sourceDir,
    files,
    [...guestFlags, ...inputs],
    options,
  );
  return { kernelPath };
}

/**
 * Builds the shared object that, given to the VMM as LD_PRELOAD, lets it take snapshots on hosts whose KVM refuses
 * KVM_GET_NESTED_STATE. Elsewhere it does nothing. Throws as {@link buildGuest} does.
 */
export async function nestedStateShim(options: BuildOptions): Promise<{ libraryPath: string }> {
  const source = "kvm-nested-state-shim.c";
  const dir = join(sourceDir, "shim");
  const libraryPath = await build(
    "kvm-nested-state-shim.so",
    dir,
    [source],
    [source, ...shimFlags],
    options,
  );
  return { libraryPath };
}

async function build(
  program: string,
  dir: string,
  files: readonly string[],
  args: readonly string[],
  { outDir, compiler = "gcc", signal }: BuildOptions,
): Promise<string> {
  signal?.throwIfAborted();
  const hash = createHash("sha256").update(JSON.stringify([compiler, args]));
  for (const file of files) hash.update(`\0${file}\0`).update(await readFile(join(dir, file)));
  const cached = join(cacheDir, hash.digest("hex").slice(0, 16), program);
  if (!(await isThere(cached))) await compile(compiler, dir, args, cached, signal);
  if (outDir === undefined) return cached;
  await mkdir(outDir, { recursive: true });
  const copy = join(outDir, program);
  await copyFile(cached, copy);
  return copy;
}

/** Builds beside the target and renames, since other test processes may build, or run, the same program. */
async function compile(
  compiler: string,
  dir: string,
  args: readonly string[],
  target: string,
  signal?: AbortSignal,
) {
  await mkdir(join(target, ".."), { recursive: true });
  const unfinished = `${target}.${randomUUID()}`;
  try {
    await run(compiler, ["-o", unfinished, ...args], { cwd: dir, ...(signal && { signal }) });
    await rename(unfinished, target);
  } catch (error) {
    await rm(unfinished, { force: true });
    signal?.throwIfAborted();
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === "ENOENT")
      throw new Error(
        `The C compiler "${compiler}" was not found. Test programs are built from source: install gcc and binutils.`,
        { cause: error },
      );
    throw new Error(`The C compiler failed on ${dir}:\n${stderr ?? String(error)}`, {
      cause: error,
    });
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
