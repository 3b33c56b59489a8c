import type * as Crypto from "node:crypto";
import { join } from "node:path";
import { type CallOptions, type Host, type HostLock, SilkError } from "@silkvm/core";
import { blobIdPattern, type ImagePaths } from "./paths.ts";

/** A file that is ready to become a blob. */
export interface NewBlob {
  readonly id: string;
  /** Where it is now: on the same file system. */
  readonly filePath: string;
}

/** A directory of somebody's own, which goes when its scope ends, and which gc removes where its owner was killed. */
export interface WorkDirectory extends AsyncDisposable {
  readonly path: string;
}

const forever = Number.POSITIVE_INFINITY;
/** The byte that everybody holds who may be making or using blobs; who removes them holds it alone. */
const useOffset = 0;

/** The files of images. A blob gets its name when it is whole and on the disk, and is never written to after that. */
export class Blobs {
  readonly paths: ImagePaths;
  readonly #host: Host;

  constructor(host: Host, paths: ImagePaths) {
    this.#host = host;
    this.paths = paths;
  }

  path(id: string): string {
    if (!blobIdPattern.test(id)) throw new TypeError(`not the id of a blob: ${id}`);
    return join(this.paths.blobsDir, id);
  }

  /** What is remembered of a layer beside its file system. */
  factsPath(id: string): string {
    return `${this.path(id)}.facts`;
  }

  /** Its size; undefined where there is none. */
  async sizeOf(id: string): Promise<number | undefined> {
    const stat = await this.#host.files.stat(this.path(id));
    return stat?.kind === "file" ? stat.sizeBytes : undefined;
  }

  async has(id: string): Promise<boolean> {
    return (await this.sizeOf(id)) !== undefined;
  }

  async hasAll(ids: readonly string[]): Promise<boolean> {
    for (const id of ids) if (!(await this.has(id))) return false;
    return true;
  }

  /** Makes the directories. */
  async prepare(): Promise<void> {
    const { files } = this.#host;
    const { directory, blobsDir, downloadsDir, workDir } = this.paths;
    for (const path of [directory, blobsDir, downloadsDir, workDir])
      if ((await files.stat(path)) === undefined) await files.mkdir(path, { mode: 0o700 });
  }

  /**
   * Keeps blobs from being removed for as long as it is held: for whoever makes some, or is about to write down that they are used.
   * @throws SilkError `IMAGES_BUSY` where garbage is being collected for longer than `waitMs`
   */
  async use({
    signal,
    waitMs = forever,
  }: CallOptions & { readonly waitMs?: number | undefined } = {}) {
    await this.prepare();
    const { locks } = this.#host;
    const lock = await locks.acquire(this.paths.lockPath, useOffset, {
      waitMs,
      signal,
      shared: true,
    });
    if (lock === undefined) throw imagesBusy("garbage is being collected");
    return lock;
  }

  /** Sees to it that nobody makes blobs, nor begins to use any. */
  async useAlone({
    signal,
    waitMs = forever,
  }: CallOptions & { readonly waitMs?: number | undefined } = {}): Promise<HostLock> {
    await this.prepare();
    const { locks } = this.#host;
    const lock = await locks.acquire(this.paths.lockPath, useOffset, { waitMs, signal });
    if (lock === undefined) throw imagesBusy("images are being pulled or used");
    return lock;
  }

  /** Whether somebody makes blobs, or is about to use some. */
  isUsed(): Promise<boolean> {
    return this.#host.locks.isHeld(this.paths.lockPath, useOffset);
  }

  /** Waits until nobody else works on something. Whoever holds it must not wait for another one. */
  async lock(subject: string, { signal }: CallOptions): Promise<HostLock> {
    const lock = await this.#host.locks.acquire(this.paths.lockPath, offsetOf(subject), {
      waitMs: forever,
      signal,
    });
    if (lock === undefined) throw new Error("a lock without a deadline was not given");
    return lock;
  }

  /** Makes a directory for some work. */
  async work(options: CallOptions): Promise<WorkDirectory> {
    const { files, random } = this.#host;
    const name = Buffer.from(random.bytes(8)).toString("hex");
    const lock = await this.lock(`work ${name}`, options);
    const path = join(this.paths.workDir, name);
    try {
      await files.mkdir(path, { mode: 0o700 });
    } catch (error) {
      await lock.release();
      throw error;
    }
    return {
      path,
      [Symbol.asyncDispose]: async () => {
        // What cannot be removed now is removed by gc.
        await files.remove(path).catch(() => undefined);
        await lock.release();
      },
    };
  }

  /** Whether somebody works in a directory of {@link ImagePaths.workDir}. */
  isWorking(name: string): Promise<boolean> {
    return this.#host.locks.isHeld(this.paths.lockPath, offsetOf(`work ${name}`));
  }

  /** Gives files their names as blobs, so that they are there whole, also after a power failure, or not at all. The last one decides: the others are there before it. */
  async publish(
    blobs: readonly NewBlob[],
    facts?: { readonly id: string; readonly bytes: Uint8Array },
  ) {
    const { files } = this.#host;
    const { blobsDir } = this.paths;
    for (const { filePath } of blobs) {
      await files.chmod(filePath, 0o444);
      await files.sync(filePath);
    }
    if (facts !== undefined)
      await files.writeAtomic(this.factsPath(facts.id), facts.bytes, { mode: 0o444 });
    for (const [index, { id, filePath }] of blobs.entries()) {
      if (index === blobs.length - 1 && blobs.length > 1) await files.sync(blobsDir);
      await files.rename(filePath, this.path(id));
    }
    await files.sync(blobsDir);
  }
}

/** A byte of the lock file, far behind those with a meaning of their own. Two things that share one wait for each other without need, and that is all. */
function offsetOf(subject: string): number {
  const crypto: typeof Crypto = process.getBuiltinModule("node:crypto");
  return 2 ** 32 + crypto.hash("sha256", subject, "buffer").readUIntBE(0, 6);
}

function imagesBusy(why: string): SilkError {
  return new SilkError(`the images are busy: ${why}`, {
    code: "IMAGES_BUSY",
    kind: "busy",
    hint: "Run the command again, without --no-wait to wait for it.",
  });
}
