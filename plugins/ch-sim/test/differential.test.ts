import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { COMMANDS, SNAPSHOTS, TOPICS } from "./differential/cases.ts";
import { haltingKernel } from "./differential/halting-kernel.ts";
import { hasRealProgram, Pair } from "./differential/pair.ts";

const MIB = 1 << 20;
const LONG_MS = 120_000;

function prepare(directory: string): void {
  const put = (name: string, content: Buffer | string): void =>
    writeFileSync(join(directory, name), content);
  put("kernel", haltingKernel());
  put("disk.raw", Buffer.alloc(MIB));
  put("other.raw", Buffer.alloc(3 * MIB));
  put("odd.raw", Buffer.alloc(1000));
  put("empty.raw", "");
  put("small", "hello");
  put("vhd", Buffer.concat([Buffer.alloc(MIB), vhdFooter(MIB)]));
  put("half.qcow2", Buffer.concat([Buffer.from("QFI\xfb", "latin1"), Buffer.alloc(4092)]));
  put("short.vhdx", Buffer.concat([Buffer.from("vhdxfile"), Buffer.alloc(1000)]));
  put("half.vhdx", Buffer.concat([Buffer.from("vhdxfile"), Buffer.alloc(MIB)]));
  put("pmem", Buffer.alloc(4 * MIB));
  put("text", "hello\n".repeat(1000));
  mkdirSync(join(directory, "dir"));
  mkdirSync(join(directory, "snap"));
}

/** Of a VHD of a fixed size, as far as the real program reads it. */
function vhdFooter(sizeBytes: number): Buffer {
  const footer = Buffer.alloc(512);
  footer.write("conectix");
  footer.writeUInt32BE(2, 8);
  footer.writeUInt32BE(0x10000, 12);
  footer.fill(0xff, 16, 24);
  footer.writeBigUInt64BE(BigInt(sizeBytes), 40);
  footer.writeBigUInt64BE(BigInt(sizeBytes), 48);
  footer.writeUInt32BE(2, 60);
  return footer;
}

describe.skipIf(!hasRealProgram())("the simulator beside the real program", () => {
  let pair: Pair;
  beforeAll(() => {
    pair = new Pair(prepare);
  });
  afterAll(() => {
    pair.dispose();
  });

  it.each(Object.entries(TOPICS))(
    "answers like it: %s",
    async (_topic, steps) => {
      const real = await pair.calls("real", steps);
      expect(await pair.calls("simulated", steps)).toEqual(real);
    },
    LONG_MS,
  );

  it(
    "ends like it",
    async () => {
      for (const argv of COMMANDS) {
        const real = await pair.command("real", argv);
        expect([argv, await pair.command("simulated", argv)]).toEqual([argv, real]);
      }
    },
    LONG_MS,
  );

  it(
    "saves and restores like it",
    async ({ skip }) => {
      const [first = [], ...others] = SNAPSHOTS;
      const real = await pair.calls("real", first);
      skip(
        real.some((text) => text.includes("GetNestedState")),
        "KVM does not give nested state away here",
      );
      expect(await pair.calls("simulated", first)).toEqual(real);
      for (const steps of others) {
        const told = await pair.calls("real", steps);
        expect(await pair.calls("simulated", steps)).toEqual(told);
      }
    },
    LONG_MS,
  );
});
