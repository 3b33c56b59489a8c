import type { VmSummary, VmView } from "@silkvm/core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Box } from "./box/box.ts";
import { directBoot, guestIsUp, inGuest } from "./box/guest.ts";
import { findBoxParts } from "./box/needs.ts";
import { story, traces } from "./box/traces.ts";

const parts = findBoxParts();
const missing = "missing" in parts ? parts.missing : undefined;
if (missing !== undefined) console.log(`no host in a box here: ${missing}`);

/** A command takes seconds in the box and a boot of a guest ten, and more on a machine that is busy with other tests. */
const timeout = 300_000;
const small = ["--cpus", "1", "--memory", "128M"];

describe.skipIf(missing !== undefined)("on a host in a box", { timeout }, () => {
  let box: Box;

  beforeAll(async () => {
    if (!("missing" in parts)) box = await Box.boot(parts);
  }, timeout);
  afterAll(() => box?.[Symbol.asyncDispose]());
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") console.log(await story(box));
  });

  it("takes a Linux guest from create to the power button, and leaves nothing of it", async () => {
    const { silk } = box;
    const before = await traces(box);
    await box.sh("truncate -s 1M /root/button.img");
    const disk = "/root/button.img,serial=button,direct=off";
    const boot = ["--firmware", box.guest.firmware, "--disk", disk, ...small];
    const id = (await silk.ok("vm", "create", "--name", "pc", ...boot)).trim();
    expect(await silk.ok("vm", "start", "pc")).toBe(`${id}\n`);
    expect(await guestIsUp(box, "pc")).toMatch(/\] Linux version \d/);
    expect(await silk.json<VmSummary[]>("vm", "list")).toMatchObject([{ id, state: "running" }]);
    expect(await inGuest(box, "pc", "uname -s")).toBe("Linux\n");

    expect(await silk.ok("vm", "stop", "pc", "--timeout", "60s")).toBe(`${id}\n`);
    expect(await box.sh("head -1 /root/button.img | tr -d '\\0'")).toBe(
      "the power button was pressed\n",
    );
    expect(await silk.json<VmView>("vm", "inspect", "pc")).toMatchObject({ state: "stopped" });
    await silk.ok("vm", "rm", "pc");
    expect(await silk.json("vm", "list", "--all")).toEqual([]);
    expect(await traces(box)).toBe(before);
  });

  it("saves, clones, restores and hibernates a Linux guest with what it has in memory and on its disk", async () => {
    const { silk } = box;
    const before = await traces(box);
    await silk.ok("vm", "run", "--name", "web", "--storage", "64M", ...directBoot(box), ...small);
    await guestIsUp(box, "web");
    const remember = (vm: string, word: string): Promise<string> =>
      inGuest(box, vm, `echo ${word} >/tmp/word; echo ${word} >/disk/word; sync; cat /tmp/count`);
    const recall = async (vm: string): Promise<readonly string[]> =>
      (await inGuest(box, vm, "cat /tmp/word /disk/word /tmp/count")).trim().split("\n");
    await inGuest(box, "web", "mkdir /disk; mount -t ext4 /dev/vda /disk");

    // KVM's own nested virtualization, and a VMM into which nothing was preloaded.
    expect(await box.sh("cat /sys/module/kvm_amd/parameters/npt")).toBe("Y\n");
    const { runtime } = await silk.json<VmView>("vm", "inspect", "web");
    expect(await box.sh(`tr '\\0' '\\n' </proc/${runtime?.vmm.pid}/environ`)).not.toContain(
      "LD_PRELOAD",
    );

    const savedAt = Number(await remember("web", "saved"));
    const saved = await silk.json<{ readonly id: string }>(
      "snapshot",
      "save",
      "web",
      "--name",
      "golden",
    );
    await remember("web", "later");
    await silk.ok("vm", "clone", "golden", "--name", "copy");
    const [inMemory, onDisk, count] = await recall("copy");
    expect([inMemory, onDisk]).toEqual(["saved", "saved"]);
    expect(Number(count)).toBeGreaterThanOrEqual(savedAt);
    expect((await recall("web")).slice(0, 2)).toEqual(["later", "later"]);
    await silk.ok("vm", "rm", "--force", "copy");

    await silk.ok("vm", "restore", "web", saved.id);
    expect((await recall("web")).slice(0, 2)).toEqual(["saved", "saved"]);

    const asleepAt = Number(await remember("web", "asleep"));
    await silk.ok("vm", "hibernate", "web");
    expect(await box.sh("busybox pgrep cloud-hyperviso || true")).toBe("");
    await silk.ok("vm", "wake", "web");
    const [memory, disk, counted] = await recall("web");
    expect([memory, disk]).toEqual(["asleep", "asleep"]);
    expect(Number(counted)).toBeGreaterThanOrEqual(asleepAt);

    await silk.ok("vm", "rm", "--force", "web");
    await silk.ok("snapshot", "rm", "golden");
    expect(await traces(box)).toBe(before);
  });
});
