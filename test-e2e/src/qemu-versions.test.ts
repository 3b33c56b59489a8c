import { stat } from "node:fs/promises";
import { join } from "node:path";
import qemuPlugin from "@silkvm/qemu";
import { createEngine, type Engine } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, it } from "vitest";
import { qemuMissing, qemuSettings, qemuSpec } from "./real-qemu.ts";
import { makeSandbox } from "./sandbox.ts";
import { realGuest as guest } from "./snapshot-guest.ts";

/** A QEMU that is newer than the one that the other tests take, 9.0 at least. */
const newer = process.env["SILK_TEST_NEWER_QEMU"];
const missing =
  qemuMissing ?? (newer === undefined ? "SILK_TEST_NEWER_QEMU names no other one" : undefined);
if (missing !== undefined) console.log(`no snapshot goes from one QEMU to another: ${missing}`);

describe.skipIf(missing !== undefined)("with an older QEMU and a newer one", () => {
  it("what the older one has saved goes on in the newer one, whose own snapshots have holes and are nothing for the older one", async () => {
    await using sandbox = await makeSandbox("cloud-hypervisor", [], qemuSettings);
    const open = (qemuBinary: string): Promise<Engine> =>
      createEngine({
        host: linuxHost(),
        plugins: [qemuPlugin],
        config: { ...sandbox.config, qemuBinary },
        cwd: sandbox.dir,
      });
    await using older = await open(qemuSettings.qemuBinary);
    await using later = await open(newer ?? "");

    const vm = await older.create({ ...(await qemuSpec()), name: "old" });
    await vm.start();
    await guest.remember(vm, "kept");
    const { id } = await vm.save();
    const { vm: clone } = await later.clone({ snapshot: id }, { name: "new" });
    expect(await guest.recall(clone)).toBe("kept");
    await guest.fill(clone, 7);

    const again = await clone.save();
    const { size, blocks } = await stat(
      join(sandbox.config.rootDir, "snapshots", again.id, "memory"),
    );
    expect(blocks * 512).toBeLessThan(size);
    for (const refused of [
      older.clone({ snapshot: again.id }, { name: "back" }),
      older.restore("new", { snapshot: again.id }),
    ])
      await expect(refused).rejects.toMatchObject({
        code: "SNAPSHOT_UNSUPPORTED",
        kind: "unsupported",
      });
    await later.restore("new", { snapshot: again.id });
    expect(await guest.isFilled(clone, 7)).toBe(true);
    await later.hibernate("new");
    await expect(older.wake("new")).rejects.toMatchObject({ code: "SNAPSHOT_UNSUPPORTED" });
    await later.wake("new");
    expect(await guest.recall(clone)).toBe("kept");
  }, 120_000);
});
