import type { Disk } from "@silkvm/core";
import { describe, expect, it } from "vitest";
import { debugDiskCliArgs } from "./debug.ts";

const layer: Disk = { path: "/b/base.erofs", role: "layer", readonly: true, serial: "base" };
const cow: Disk = { path: "/v/cow.raw", role: "cow", readonly: false, serial: "cocoon-cow" };
const overlay: Disk = { path: "/v/overlay.qcow2", role: "cow", readonly: false };
const data: Disk = { path: "/v/data-db.raw", role: "data", readonly: false, serial: "db" };

describe("the disk arguments", () => {
  it("of a layer are read-only and raw, through the host's page cache", () => {
    expect(debugDiskCliArgs([layer], 2, 0, false)).toEqual([
      "path=/b/base.erofs,readonly=on,image_type=raw,num_queues=2,queue_size=512,serial=base",
    ]);
  });

  it("of a writable raw disk are direct, sparse, and pin each queue", () => {
    expect(debugDiskCliArgs([cow], 2, 0, false)).toEqual([
      "path=/v/cow.raw,direct=on,sparse=on,image_type=raw,num_queues=2,queue_size=512,queue_affinity=[0@[0],1@[1]],serial=cocoon-cow",
    ]);
  });

  it("of a writable qcow2 let it have backing files, and do not call it sparse", () => {
    expect(debugDiskCliArgs([overlay], 1, 256, false)).toEqual([
      "path=/v/overlay.qcow2,direct=on,image_type=qcow2,backing_files=on,num_queues=1,queue_size=256",
    ]);
  });

  it("of a read-only qcow2 do not let it have backing files", () => {
    expect(debugDiskCliArgs([{ ...layer, path: "/b/x.qcow2" }], 1, 0, false)).toEqual([
      "path=/b/x.qcow2,readonly=on,image_type=qcow2,num_queues=1,queue_size=512,serial=base",
    ]);
  });

  it("of one vCPU pin nothing, and of none leave the number of queues to the VMM", () => {
    expect(debugDiskCliArgs([cow], 1, 0, true)).toEqual([
      "path=/v/cow.raw,sparse=on,image_type=raw,num_queues=1,queue_size=512,serial=cocoon-cow",
    ]);
    expect(debugDiskCliArgs([cow], 0, 0, true)).toEqual([
      "path=/v/cow.raw,sparse=on,image_type=raw,queue_size=512,serial=cocoon-cow",
    ]);
  });

  it.each([
    [undefined, false, true],
    [undefined, true, false],
    [true, true, true],
    [false, false, false],
  ])(
    "of a data disk with directIo %s where noDirectIo is %s are direct: %s",
    (directIo, noDirectIo, direct) => {
      const [argument] = debugDiskCliArgs([{ ...data, directIo }], 1, 0, noDirectIo);
      expect(argument?.includes("direct=on")).toBe(direct);
    },
  );

  it("keep the order of the disks", () => {
    const serials = debugDiskCliArgs([layer, cow, data], 4, 0, false).map((argument) =>
      argument.split("serial=").at(-1),
    );
    expect(serials).toEqual(["base", "cocoon-cow", "db"]);
  });

  it("put a path with a comma in quotes, which the VMM understands", () => {
    expect(debugDiskCliArgs([{ ...data, path: "/v/a,b.raw" }], 1, 0, false)[0]).toMatch(
      /^path="\/v\/a,b\.raw",direct=on/,
    );
  });
});
