import { writeFile } from "node:fs/promises";
import {
  conformanceCases,
  conformanceDevice,
  type ConformanceSetup,
} from "@silkvm/core/conformance";
import { diskKind } from "@silkvm/storage";
import { linuxHost } from "@silkvm/sys";
import { afterAll, beforeAll, describe, it } from "vitest";
import type { VmSpec } from "@silkvm/core";
import { canMakeTaps, vmmMadeTaps } from "./ch-snapshot-network.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { snapshotTargets } from "./snapshot-targets.ts";

/** How the guest of each VMM is made to remember a word. */
const memoryWords: Readonly<Record<string, ConformanceSetup["memory"]>> = {
  "ch-sim": {
    remember: { send: "set word kept", expect: "kept" },
    recall: { send: "get word", expect: "kept" },
  },
  "cloud-hypervisor": {
    remember: { send: "mark kept", expect: "ok" },
    recall: { send: "mark", expect: "mark kept" },
  },
};

describe.each(snapshotTargets)("conformance on $name", (target) => {
  describe.skipIf(target.missing !== undefined)("", () => {
    const sandboxes: Sandbox[] = [];
    let spec: VmSpec;
    let vmm: string;

    beforeAll(async () => {
      spec = await target.spec();
      vmm = await target.vmm();
    });
    afterAll(async () => {
      for (const sandbox of sandboxes) await sandbox[Symbol.asyncDispose]();
    });

    const cases = conformanceCases({
      host: linuxHost(),
      engine: async () => {
        const sandbox = await makeSandbox(vmm, [vmmMadeTaps()]);
        sandboxes.push(sandbox);
        return await sandbox.engine();
      },
      spec: () => spec,
      consoleEcho: target.consoleEcho,
      memory: memoryWords[target.name],
      devices: [
        conformanceDevice(diskKind, async ({ config }) => {
          const path = `${config.rootDir}-extra.raw`;
          await writeFile(path, Buffer.alloc(2 ** 20));
          return { path, name: "extra" };
        }),
      ],
      // Its networks need no name.
      network: target.name === "ch-sim" || canMakeTaps ? {} : undefined,
      guestStopsWhenAsked: true,
    });
    // Saving a VM waits for the disk, which may be a slow one.
    for (const { name, run } of cases) it(name, run, 60_000);
  });
});
