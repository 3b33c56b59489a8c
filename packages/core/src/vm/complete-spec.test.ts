import { describe, expect, it } from "vitest";
import type { VmImage } from "../image/vm-image.ts";
import type { Host } from "../host.ts";
import { bootsByFirmware, completeSpec } from "./complete-spec.ts";
import { draftSpec } from "./resolve-spec.ts";
import type { VmSpec } from "./spec.ts";

const gib = 1024 ** 3;
const host = {
  facts: { cpus: 4, memoryBytes: 8 * gib },
  random: { bytes: (length: number) => new Uint8Array(length) },
} as unknown as Host;

const layered: VmImage = {
  name: "acme/web:1",
  digest: "sha256:1",
  type: "oci-vm",
  blobIds: ["a", "k", "i"],
  layers: [{ path: "/blobs/a", serial: "cocoon-layer0" }],
  kernelPath: "/blobs/k",
  initrdPath: "/blobs/i",
};
const cloud: VmImage = {
  name: "https://example.org/debian.qcow2",
  digest: "sha256:2",
  type: "cloudimg",
  blobIds: ["d"],
  layers: [],
  disk: { path: "/blobs/d", virtualSizeBytes: 3 * gib },
};

function complete(spec: VmSpec, image: VmImage, firmwarePath?: string) {
  const draft = draftSpec({ image: image.name, ...spec }, host, { backend: "b", cwd: "/cwd" });
  return completeSpec(draft, { image, firmwarePath });
}

describe("a VM of layers", () => {
  it("boots the image's kernel, with a disk to write to", () => {
    const { boot, config } = complete({}, layered);
    expect(boot).toEqual({
      kind: "direct",
      kernelPath: "/blobs/k",
      initrdPath: "/blobs/i",
      layered: true,
      cmdline: "",
    });
    expect(config).toMatchObject({
      image: "acme/web:1",
      imageDigest: "sha256:1",
      imageType: "oci-vm",
      storageBytes: 10 * gib,
    });
  });

  it("may boot another kernel, which has no use for the image's initrd, and be told more", () => {
    const { boot } = complete({ boot: { kernel: "k", cmdline: "quiet" } }, layered);
    expect(boot).toEqual({
      kind: "direct",
      kernelPath: "/cwd/k",
      layered: true,
      cmdline: "quiet",
    });
  });

  it("takes no firmware, no cidata, and cannot be without a disk of its own", () => {
    const refused = { code: "INVALID_SPEC" };
    expect(() => complete({ boot: { firmware: "f" } }, layered)).toThrow(
      expect.objectContaining(refused),
    );
    expect(() => complete({ guest: { user: "me" } }, layered)).toThrow(
      expect.objectContaining(refused),
    );
    expect(() => complete({ storageBytes: 0 }, layered)).toThrow(
      expect.objectContaining({ code: "INVALID_DISK" }),
    );
  });
});

describe("a VM of a cloud image", () => {
  it("boots by the firmware that was found, and its disk is as large as the image's", () => {
    const draft = draftSpec({ image: cloud.name }, host, { backend: "b", cwd: "/" });
    expect(bootsByFirmware(draft, cloud)).toBe(true);
    const { boot, config } = complete({ guest: { user: "me" } }, cloud, "/fw");
    expect(boot).toEqual({ kind: "firmware", firmwarePath: "/fw" });
    expect(config).toMatchObject({ storageBytes: 3 * gib, guest: { user: "me" } });
  });

  it("may have a larger disk and not a smaller one", () => {
    expect(complete({ storageBytes: 20 * gib }, cloud, "/fw").config.storageBytes).toBe(20 * gib);
    expect(() => complete({ storageBytes: gib }, cloud, "/fw")).toThrow(
      expect.objectContaining({ code: "INVALID_DISK", hint: expect.stringContaining("3G") }),
    );
  });

  it("tells Windows nothing, which is found out before its image is asked for", () => {
    const guest = { user: "ann" };
    const defaults = { backend: "b", cwd: "/cwd" };
    expect(() => draftSpec({ image: "win", windows: true, guest }, host, defaults)).toThrow(
      "Windows takes no user, SSH keys or user-data from silk",
    );
  });

  it("may be booted by a kernel", () => {
    const draft = draftSpec({ image: cloud.name, boot: { kernel: "/k" } }, host, {
      backend: "b",
      cwd: "/",
    });
    expect(bootsByFirmware(draft, cloud)).toBe(false);
    expect(completeSpec(draft, { image: cloud }).boot).toEqual({
      kind: "direct",
      kernelPath: "/k",
      cmdline: "console=hvc0",
    });
  });
});

describe("a VM of no image", () => {
  it.each([{}, { boot: { cmdline: "quiet" } }])("needs something to boot", (spec) => {
    expect(() => draftSpec(spec, host, { backend: "b", cwd: "/" })).toThrow(
      expect.objectContaining({ code: "INVALID_SPEC", message: expect.stringContaining("boot") }),
    );
  });

  it.each([{ guest: { user: "me" } }, { run: { args: ["sh"] } }, { pull: "always" as const }])(
    "takes nothing that is for images: %o",
    (more) => {
      const spec = { boot: { kernel: "/k" }, ...more };
      expect(() => draftSpec(spec, host, { backend: "b", cwd: "/" })).toThrow(
        expect.objectContaining({ code: "INVALID_SPEC" }),
      );
    },
  );
});
