import { writeFile } from "node:fs/promises";
import { conformanceCases, conformanceDevice } from "@silkvm/core/conformance";
import type { VmSpec } from "@silkvm/core";
import { diskKind } from "@silkvm/storage";
import { linuxHost } from "@silkvm/sys";
import { afterAll, beforeAll, describe, it } from "vitest";
import { canMakeTaps, vmmMadeTaps } from "./ch-snapshot-network.ts";
import { qemuMissing, qemuSettings, qemuSpec } from "./real-qemu.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";

describe.skipIf(qemuMissing !== undefined)("conformance on qemu", () => {
  const sandboxes: Sandbox[] = [];
  let spec: VmSpec;

  beforeAll(async () => {
    spec = await qemuSpec();
  });
  afterAll(async () => {
    for (const sandbox of sandboxes) await sandbox[Symbol.asyncDispose]();
  });

  const cases = conformanceCases({
    host: linuxHost(),
    engine: async () => {
      const sandbox = await makeSandbox("cloud-hypervisor", [vmmMadeTaps()], qemuSettings);
      sandboxes.push(sandbox);
      return await sandbox.engine();
    },
    spec: () => spec,
    consoleEcho: { send: "echo are-you-there", expect: "are-you-there" },
    memory: {
      remember: { send: "mark kept", expect: "ok" },
      recall: { send: "mark", expect: "mark kept" },
    },
    devices: [
      conformanceDevice(diskKind, async ({ config }) => {
        const path = `${config.rootDir}-extra.raw`;
        await writeFile(path, Buffer.alloc(2 ** 20));
        return { path, name: "extra" };
      }),
    ],
    network: canMakeTaps ? {} : undefined,
    guestStopsWhenAsked: true,
  });
  for (const { name, run } of cases) it(name, run, 60_000);
});
