import { describe, expect, it } from "vitest";
import { parseDataDisk } from "./data-disk.ts";

const gib = 1024 ** 3;

describe("parseDataDisk", () => {
  it.each([
    ["size=10G", { sizeBytes: 10 * gib }],
    ["size=1G,name=db,fstype=none", { sizeBytes: gib, name: "db", fstype: "none" }],
    ["mount=/srv,size=1G,fstype=ext4", { sizeBytes: gib, mountPoint: "/srv", fstype: "ext4" }],
    ["size=1G,directio=on", { sizeBytes: gib, directIo: true }],
    ["size=1G,directio=off", { sizeBytes: gib, directIo: false }],
    ["size=1G,directio=auto", { sizeBytes: gib }],
    ["size=1G,mount=", { sizeBytes: gib, mountPoint: "" }],
    ["size=1G,mount=/a,,b", { sizeBytes: gib, mountPoint: "/a,b" }],
  ])("reads %s", (text, disk) => {
    expect(parseDataDisk(text)).toEqual(disk);
  });

  it.each([
    ["", "--data-disk: there is an empty part"],
    ["name=db", "--data-disk: the size is missing"],
    ["10G", '--data-disk: there is no key "10G"'],
    ["size", '--data-disk: "size" needs a value: size=…'],
    ["size=1G,name=", '--data-disk: "name" needs a value: name=…'],
    ["size=x", '"x" is no size'],
    ["size=1G,fstype=xfs", '--data-disk: "fstype" must be ext4 or none'],
    ["size=1G,directio=maybe", '--data-disk: "directio" must be on, off or auto'],
    ["size=1G,mount", '--data-disk: "mount" needs a value: mount=…'],
    ["size=1G,size=2G", '--data-disk: "size" is given twice'],
  ])("refuses %j", (text, message) => {
    expect(() => parseDataDisk(text)).toThrow(message);
  });
});
