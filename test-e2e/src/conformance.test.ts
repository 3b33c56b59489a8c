import { conformanceCases } from "@silkvm/core/conformance";
import { linuxHost } from "@silkvm/sys";
import { afterAll, beforeAll, describe, it } from "vitest";
import type { VmSpec } from "@silkvm/core";
import { makeSandbox, type Sandbox } from "./sandbox.ts";
import { targets } from "./targets.ts";

describe.each(targets)("conformance on $name", (target) => {
  describe.skipIf(target.missing !== undefined)("", () => {
    const sandboxes: Sandbox[] = [];
    let spec: VmSpec;

    beforeAll(async () => {
      spec = await target.spec();
    });
    afterAll(async () => {
      for (const sandbox of sandboxes) await sandbox[Symbol.asyncDispose]();
    });

    const cases = conformanceCases({
      host: linuxHost(),
      engine: async () => {
        const sandbox = await makeSandbox(target.chBinary());
        sandboxes.push(sandbox);
        return await sandbox.engine();
      },
      spec: () => spec,
      consoleEcho: target.consoleEcho,
      guestStopsWhenAsked: true,
    });
    for (const { name, run } of cases) it(name, run);
  });
});
