import { spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { isSilkError } from "@silkvm/core";
import { failNth, withGate } from "@silkvm/core/testing";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, test } from "vitest";
import type { Images } from "../src/index.ts";
import { Bed, has } from "./bed.ts";
import { layOutKernel, makeDeb, realVersion } from "./kit-kernel-files.ts";

/** Every effect, or a sample of them. */
const step = process.env["SILK_TEST_LONG"] === "1" ? 1 : 5;

const codes = ["EIO", "ENOSPC", "EACCES"] as const;

async function make(images: Images, source: string): Promise<readonly string[]> {
  const { blobIds } = await images.importKernel(source, { name: "k" });
  return [...blobIds, ...(await images.kit()).blobIds];
}

function contents(bed: Bed): ReadonlyMap<string, Buffer> {
  const names = readdirSync(bed.path("root/images/blobs")).filter((name) => !name.startsWith("."));
  return new Map(names.map((name) => [name, readFileSync(bed.blob(name))]));
}

/** What is there is whole, the next attempt makes the rest, and gc leaves nothing else. */
async function expectConverges(
  bed: Bed,
  source: string,
  sound: ReadonlyMap<string, Buffer>,
  when: string,
): Promise<void> {
  try {
    for (const [name, bytes] of contents(bed))
      expect(sound.get(name)?.equals(bytes), `${name} ${when}`).toBe(true);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
  }
  await using images = bed.open();
  await make(images, source);
  expect([...contents(bed).keys()].sort(), when).toEqual([...sound.keys()].sort());
  // The initramfs is nobody's yet.
  await images.collectGarbage();
  expect(
    [...contents(bed).keys()].every((name) => !name.endsWith(".initrd")),
    when,
  ).toBe(true);
  expect(readdirSync(bed.path("root/images/work")), when).toEqual([]);
}

describe.skipIf(realVersion === undefined || !has("busybox") || !has("dpkg-deb"))(
  "a kernel whose import, or kit,",
  { timeout: 600_000 },
  () => {
    const withSource = async (
      run: (bed: Bed, source: string, sound: ReadonlyMap<string, Buffer>) => Promise<void>,
    ): Promise<void> => {
      await using bed = new Bed();
      layOutKernel(bed.path("kernel"));
      const source = makeDeb(bed, bed.path("kernel"), "gzip");
      await make(bed.images, source);
      await run(bed, source, contents(bed));
    };

    test("fails at any effect is there whole after the next attempt", () =>
      withSource(async (bed, source, sound) => {
        let nth = 1;
        for (let last = 0; ; nth += step) {
          rmSync(bed.rootDir, { recursive: true });
          const code = codes[nth % codes.length] ?? "EIO";
          const host = withGate(linuxHost(), (effect) => {
            last = effect.number;
            return failNth(nth, code)(effect);
          });
          const error = await (async () => {
            await using images = bed.open({ host });
            return await make(images, source).then(
              () => undefined,
              (thrown: unknown) => thrown,
            );
          })();
          if (last < nth) break;
          if (error !== undefined) expect(isSilkError(error), `effect ${nth}`).toBe(true);
          if (error !== undefined && code === "ENOSPC")
            expect((error as { code: string }).code, `effect ${nth}`).not.toBe("INTERNAL");
          await expectConverges(bed, source, sound, `effect ${nth}, ${code}`);
        }
        expect(nth).toBeGreaterThan(20);
      }));

    test("is killed at any effect is there whole after the next attempt", () =>
      withSource(async (bed, source, sound) => {
        let killAt = 1;
        for (; ; killAt += step) {
          rmSync(bed.rootDir, { recursive: true });
          const child = spawn(
            process.execPath,
            [
              "--conditions=@silkvm/source",
              new URL("kit-child.ts", import.meta.url).pathname,
              JSON.stringify({ rootDir: bed.rootDir, source, killAt }),
            ],
            { stdio: ["ignore", "ignore", "inherit"] },
          );
          const signal = await new Promise<NodeJS.Signals | null>((resolve) =>
            child.on("exit", (_, by) => resolve(by)),
          );
          if (signal === null) break;
          await expectConverges(bed, source, sound, `effect ${killAt}`);
        }
        expect(killAt).toBeGreaterThan(20);
      }));
  },
);
