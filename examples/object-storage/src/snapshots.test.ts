import { Readable } from "node:stream";
import { linuxHost } from "@silkvm/sys";
import { makeSandbox } from "@silkvm/test-e2e/sandbox";
import { expectNothingLeft, onScene } from "@silkvm/test-e2e/snapshot-scene";
import { snapshotTargets } from "@silkvm/test-e2e/snapshot-targets";
import { describe, expect, it } from "vitest";
import { loadFrom, saveTo } from "./snapshots.ts";
import { openStore } from "./testing/store.ts";
import { upload } from "./upload.ts";

const never = { signal: new AbortController().signal };
const key = "snapshots/warm.tar.zst";

describe.each(snapshotTargets)("on $name", (target) => {
  it.skipIf(target.missing !== undefined)(
    "a snapshot goes to a bucket, and comes from there to another host",
    async () => {
      await using store = await openStore();
      const shelf = { bucket: store.bucket, key };
      await onScene(target, async ({ engine, guest, boot }) => {
        const vm = await boot("source");
        await guest.remember(vm, "luggage");
        await vm.save({ name: "warm" });
        await saveTo(shelf, engine, "warm", { ...never, partBytes: 16 * 1024 });
        expect([store.objects.size, store.uploads.size]).toEqual([1, 0]);

        await using elsewhere = await makeSandbox(await target.vmm());
        await using there = await elsewhere.engine();
        await loadFrom(shelf, there, "arrived", never);
        await vm.delete({ force: true });
        const { vm: copy } = await there.clone({ snapshot: "arrived" });
        expect(await guest.recall(copy)).toBe("luggage");
        await expectNothingLeft(there, elsewhere);
      });
    },
    60_000,
  );
});

describe("an upload", () => {
  it("reads no further while a part is sent", async () => {
    await using store = await openStore();
    let made = 0;
    const held = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    store.onPart = (number) => {
      if (number !== 2) return undefined;
      arrived.resolve();
      return held.promise;
    };
    async function* chunks(): AsyncGenerator<Buffer> {
      for (let i = 0; i < 64; i++) {
        made += 1024;
        yield Buffer.alloc(1024, i);
      }
    }
    const stream = Readable.from(chunks(), { objectMode: false, highWaterMark: 1024 });
    const uploading = upload(store.bucket, key, stream, { ...never, partBytes: 4096 });
    await arrived.promise;
    // Two parts, and what the stream itself holds.
    expect(made).toBeLessThanOrEqual(4 * 4096);
    held.resolve();
    await uploading;
    const whole = Buffer.concat(Array.from({ length: 64 }, (_, i) => Buffer.alloc(1024, i)));
    expect(store.objects.get(`/shelf/${key}`)?.equals(whole)).toBe(true);
  });

  it("that is aborted leaves no parts, and lets go of what it read", async () => {
    await using store = await openStore();
    const abort = new AbortController();
    store.onPart = (number) => {
      if (number === 3) abort.abort();
    };
    const stream = Readable.from(endless(), { objectMode: false });
    await expect(
      upload(store.bucket, key, stream, { signal: abort.signal, partBytes: 4096 }),
    ).rejects.toMatchObject({ name: "AbortError" });
    expect([store.objects.size, store.uploads.size, stream.destroyed]).toEqual([0, 0, true]);
  });

  it("with wrong keys is refused", async () => {
    await using store = await openStore();
    const bucket = { ...store.bucket, secretAccessKey: "wrong" };
    await expect(upload(bucket, key, Readable.from([]), never)).rejects.toThrow("403");
  });
});

it("what was changed in the bucket is not taken in", async () => {
  await using store = await openStore();
  await using sandbox = await makeSandbox("/none");
  await using engine = await sandbox.engine(linuxHost());
  await upload(store.bucket, key, Readable.from([Buffer.from("no archive")]), never);
  await expect(
    loadFrom({ bucket: store.bucket, key }, engine, "warm", never),
  ).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
  expect(await engine.snapshots.list()).toEqual([]);
});

async function* endless(): AsyncGenerator<Buffer> {
  for (;;) yield Buffer.alloc(1024);
}
