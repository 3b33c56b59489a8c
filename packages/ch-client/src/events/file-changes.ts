import { watch, type FSWatcher } from "node:fs";
import { basename, dirname } from "node:path";

/** How often a file is looked at even where nothing says that it changed: watching may not work on its file system, or not be allowed. */
const lookAnywayMs = 1_000;
const lookWithoutWatchMs = 50;

/** Says when a file may have changed, come or gone. */
export class FileChanges implements Disposable {
  readonly #path: string;
  #watcher: FSWatcher | undefined;
  #changed = false;
  #wake: (() => void) | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#startWatching();
  }

  /** Resolves when there may be something new since the last call, and when the signal aborts. */
  async next(signal: AbortSignal | undefined): Promise<void> {
    if (this.#watcher === undefined) this.#startWatching();
    if (!this.#changed && signal?.aborted !== true) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = (): void => resolve();
      const timer = setTimeout(
        wake,
        this.#watcher === undefined ? lookWithoutWatchMs : lookAnywayMs,
      );
      signal?.addEventListener("abort", wake, { once: true });
      this.#wake = wake;
      await promise;
      this.#wake = undefined;
      signal?.removeEventListener("abort", wake);
      clearTimeout(timer);
    }
    this.#changed = false;
  }

  [Symbol.dispose](): void {
    this.#stopWatching();
  }

  #startWatching(): void {
    const name = basename(this.#path);
    try {
      this.#watcher = watch(dirname(this.#path), (_event, changed) => {
        if (changed === null || changed === name) this.#notify();
      });
      this.#watcher.on("error", () => this.#stopWatching());
      // What happened before the watch began is news too.
      this.#changed = true;
    } catch {
      // No directory yet, or no watches left: looking from time to time has to do.
    }
  }

  #notify(): void {
    this.#changed = true;
    this.#wake?.();
  }

  #stopWatching(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
