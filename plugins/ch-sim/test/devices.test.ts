import { truncateSync, writeFileSync } from "node:fs";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { locksOf } from "./replay/locks.ts";
import { KERNEL, Place, type Sim } from "./support/sim.ts";

const VM = ["--kernel", "kernel", "--console", "off", "--serial", "null"];

describe("the devices of a simulated VM", () => {
  let place: Place;
  beforeEach(() => {
    place = new Place();
    writeFileSync(place.path("kernel"), KERNEL);
    for (const name of ["a.raw", "b.raw"]) {
      writeFileSync(place.path(name), "");
      truncateSync(place.path(name), 1 << 20);
    }
  });
  afterEach(async () => {
    await place.dispose();
  });

  const gone = async (sim: Sim, id: string): Promise<void> => {
    while (Object.hasOwn((await sim.info()).device_tree ?? {}, id)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  it("lock their disks for as long as the VM runs", async () => {
    const sim = await place.start([
      ...VM,
      "--disk",
      "path=a.raw,image_type=raw",
      "path=b.raw,image_type=raw,readonly=on",
    ]);
    await sim.info();
    expect(locksOf(place.path("a.raw"))).toEqual(["WRITE 0 1048575"]);
    expect(locksOf(place.path("b.raw"))).toEqual(["READ 0 1048575"]);
    const second = place.launch([...VM, "--disk", "path=a.raw,image_type=raw"]);
    expect(await second.program.ended).toEqual({ code: 1, signal: null });
    expect(second.program.stderr).toContain("5: The file is already locked");
    await sim.call("vm.shutdown");
    expect(locksOf(place.path("a.raw"))).toEqual([]);
  });

  it("come and go while the VM runs, once the guest has let them", async () => {
    const sim = await place.start(VM);
    const added = await sim.call("vm.add-disk", { path: "a.raw", image_type: "Raw" });
    expect(added).toEqual({ status: 200, body: { id: "_disk0", bdf: "0000:00:02.0" } });
    expect((await sim.call("vm.remove-device", { id: "_disk0" })).status).toBe(204);
    expect((await sim.info()).config.disks ?? []).toEqual([]);
    await gone(sim, "_disk0");
    expect(locksOf(place.path("a.raw"))).toEqual([]);
    const again = await sim.call("vm.add-disk", { path: "a.raw", image_type: "Raw" });
    expect(again).toEqual({ status: 200, body: { id: "_disk1", bdf: "0000:00:02.0" } });
  });

  it("stay for ever with a guest that does not let them go", async () => {
    const sim = await place.start(VM, { guest: { ackRemoval: "never" } });
    await sim.call("vm.add-disk", { path: "a.raw", image_type: "Raw", id: "data" });
    expect((await sim.call("vm.remove-device", { id: "data" })).status).toBe(204);
    const again = await sim.call("vm.add-disk", { path: "b.raw", image_type: "Raw", id: "data" });
    expect(again.status).toBe(500);
    expect(again.body).toContain("Invalid identifier as it is not unique: data");
    expect(locksOf(place.path("a.raw"))).toEqual(["WRITE 0 1048575"]);
  });

  it("let go of a vCPU and take in memory when the guest does", async () => {
    const sim = await place.start([
      ...VM,
      "--cpus=boot=2,max=4",
      "--memory=size=128M,hotplug_method=virtio-mem,hotplug_size=256M",
    ]);
    await sim.info();
    expect((await sim.call("vm.resize", { desired_vcpus: 1 })).status).toBe(204);
    expect((await sim.call("vm.resize", { desired_ram: 256 << 20 })).status).toBe(204);
    while ((await sim.info()).memory_actual_size !== 256 << 20) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect((await sim.call("vm.resize", { desired_vcpus: 4 })).status).toBe(204);
  });

  it("keep two VMs off the same TAP", async () => {
    const first = await place.start([...VM, "--net", "tap=simtap0"], { socket: "a.sock" });
    await first.info();
    const second = place.launch([...VM, "--net", "tap=simtap0"]);
    expect(await second.program.ended).toEqual({ code: 1, signal: null });
    expect(second.program.stderr).toContain("Device or resource busy (os error 16)");
    first.program.signal("SIGTERM");
    await first.program.ended;
    const third = await place.start([...VM, "--net", "tap=simtap0"], { socket: "c.sock" });
    expect((await third.info()).state).toBe("Running");
  });
});
