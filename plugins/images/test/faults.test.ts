import { spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { isSilkError } from "@silkvm/core";
import { type EffectGate, failNth, withGate } from "@silkvm/core/testing";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, test } from "vitest";
import { Bed, canConvert } from "./bed.ts";
import { layoutAnswer, startServer } from "./fake-registry.ts";
import { writeLayout } from "./oci-layout.ts";
import { buildTar } from "./tar-builder.ts";

const layers = [
  buildTar([
    { name: "./", type: "5" },
    { name: "boot/", type: "5" },
    { name: "boot/vmlinuz", content: "kernel" },
    { name: "boot/initrd.img", content: "initrd" },
  ]),
  buildTar([
    { name: "./", type: "5" },
    { name: "f", content: "x".repeat(50_000) },
    { name: "g", type: "1", link: "boot/vmlinuz" },
  ]),
];

/** Every blob that has its name is whole, and is what it is when nothing goes wrong. */
function expectWhole(bed: Bed, sound: ReadonlyMap<string, Buffer>): void {
  for (const name of list(bed, "blobs")) {
    if (name.startsWith(".")) continue;
    const expected = sound.get(name);
    expect(expected, name).toBeDefined();
    expect(readFileSync(bed.blob(name)).equals(expected as Buffer), name).toBe(true);
  }
}

function list(bed: Bed, directory: string): readonly string[] {
  try {
    return readdirSync(bed.path("root/images", directory));
  } catch {
    return [];
  }
}

async function soundBlobs(bed: Bed): Promise<ReadonlyMap<string, Buffer>> {
  await bed.images.import(bed.path("layout"), { name: "sound" });
  const sound = new Map(list(bed, "blobs").map((name) => [name, readFileSync(bed.blob(name))]));
  expect(sound.size).toBe(6);
  return sound;
}

async function expectConverges(
  bed: Bed,
  name: string,
  sound: ReadonlyMap<string, Buffer>,
  at: string,
): Promise<void> {
  expectWhole(bed, sound);
  await using images = bed.open();
  await images.pull(name);
  expectWhole(bed, sound);
  await images.collectGarbage({ waitMs: 5_000 });
  expect(list(bed, "downloads"), at).toEqual([]);
  expect(list(bed, "work"), at).toEqual([]);
  expect([...list(bed, "blobs")].sort(), at).toEqual([...sound.keys()].sort());
}

/** Whether each effect fails in each way, and is killed: some ten minutes. Else every fourth one fails, in one way, and every eighth is killed. */
const isThorough = process.env["SILK_TEST_LONG"] === "1";
const codes = ["EIO", "ENOSPC", "ETIMEDOUT"] as const;
const ways: { readonly name: string; readonly turns: readonly (typeof codes)[number][] }[] =
  isThorough
    ? codes.map((code) => ({ name: code, turns: [code] }))
    : [{ name: codes.join(", or "), turns: codes }];

describe.skipIf(!canConvert)("a pull", () => {
  test.each(ways)(
    "of which any effect fails with $name leaves nothing half, and the next one works",
    async ({ turns }) => {
      await using bed = new Bed();
      writeLayout(bed.path("layout"), [{ layers: layers.map((tar) => ({ tar })) }]);
      const sound = await soundBlobs(bed);
      const { host: registry } = await startServer(bed, layoutAnswer(bed.path("layout")));
      let nth = 1;
      for (let tries = 0; ; nth += isThorough ? 1 : 4, tries += 1) {
        rmSync(bed.rootDir, { recursive: true });
        const code = turns[tries % turns.length] ?? "EIO";
        let last = 0;
        const gate: EffectGate = (effect) => {
          last = effect.number;
          // A lock that was taken, and that nobody hears of, would be held until this process ends: the one that is killed shows that.
          if (code === "ETIMEDOUT" && effect.name.startsWith("locks.")) return undefined;
          return failNth(nth, code)(effect);
        };
        const error: unknown = await (async () => {
          await using images = bed.open({
            host: withGate(linuxHost(), gate),
            http: { backoffMs: 1, attempts: 2 },
          });
          return await images.pull(`${registry}/acme/web`).then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
        })();
        if (last < nth) break;
        if (error !== undefined) expect(isSilkError(error), `effect ${nth}`).toBe(true);
        if (error !== undefined && code === "ENOSPC")
          expect((error as { code: string }).code, `effect ${nth}`).not.toBe("INTERNAL");
        await expectConverges(bed, `${registry}/acme/web`, sound, `effect ${nth}`);
      }
      expect(nth).toBeGreaterThan(30);
    },
    600_000,
  );

  test("that is killed at any effect is finished by the next one", async () => {
    await using bed = new Bed();
    writeLayout(bed.path("layout"), [{ layers: layers.map((tar) => ({ tar })) }]);
    const sound = await soundBlobs(bed);
    const { host: registry } = await startServer(bed, layoutAnswer(bed.path("layout")));
    let killAt = 1;
    for (; ; killAt += isThorough ? 1 : 8) {
      rmSync(bed.rootDir, { recursive: true });
      const child = spawn(
        process.execPath,
        [
          "--conditions=@silkvm/source",
          new URL("pull-child.ts", import.meta.url).pathname,
          JSON.stringify({ rootDir: bed.rootDir, name: `${registry}/acme/web`, killAt }),
        ],
        { stdio: "ignore" },
      );
      const signal = await new Promise<NodeJS.Signals | null>((resolve) =>
        child.on("exit", (_, by) => resolve(by)),
      );
      if (signal === null) break;
      await expectConverges(bed, `${registry}/acme/web`, sound, `effect ${killAt}`);
    }
    expect(killAt).toBeGreaterThan(30);
  }, 600_000);
});
