import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory of the test's own, removed with all that is in it when its scope ends. */
export function temporaryDirectory(parent = tmpdir()): Disposable & {
  readonly path: string;
  readonly join: (...names: string[]) => string;
} {
  const path = mkdtempSync(join(parent, "silk-storage-"));
  return {
    path,
    join: (...names) => join(path, ...names),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
