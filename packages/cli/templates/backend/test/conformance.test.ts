import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createEngine, type VmSpec } from "@silkvm/core";
import { conformanceCases } from "@silkvm/core/conformance";
import { linuxHost } from "@silkvm/sys";
import plugin from "../src/plugin.ts";

describe("conformance", () => {
  const host = linuxHost();
  let dir: string;
  let kernel: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "silk-conformance-"));
    kernel = join(dir, "vmlinux");
    await writeFile(kernel, "the stand-in boots no kernel");
  });
  after(() => rm(dir, { recursive: true }));

  let count = 0;
  const cases = conformanceCases({
    host,
    engine: async () => {
      count += 1;
      const root = join(dir, `${count}`);
      return await createEngine({
        host,
        // The suite judges the backend; hooks of the package could forbid its VMs.
        plugins: [{ ...plugin, hooks: undefined }],
        config: {
          backend: "example",
          rootDir: join(root, "root"),
          runDir: join(root, "run"),
          logDir: join(root, "log"),
          stopGraceMs: 5_000,
        },
      });
    },
    spec: (): VmSpec => ({
      cpus: 1,
      memoryBytes: 64 * 1024 ** 2,
      storageBytes: 64 * 1024 ** 2,
      boot: { kernel },
    }),
    consoleEcho: { send: "echo it answers", expect: "it answers" },
    guestStopsWhenAsked: true,
  });
  for (const { name, run } of cases) it(name, run);
});
