import { readdirSync, readFileSync, statSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, test } from "vitest";
import { referenceDigest } from "../../test/reference-digest.ts";
import { dense } from "../../test/sparse-file.ts";
import { file, pax, pieces, tar } from "../../test/tar-bytes.ts";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { unpackSnapshot } from "./import-snapshot.ts";

const host = linuxHost();
const mib = 2 ** 20;
const hasQemuImg = (await host.processes.which("qemu-img")) !== undefined;

type Json = Readonly<Record<string, unknown>>;

/** What an archive is made of; what is left out is that of a VM of an OCI image. */
interface Wanted {
  readonly envelope?: Json;
  readonly version?: number;
  readonly sidecar?: Json;
  readonly config?: Json;
  /** Files besides, or in the place of, `cow.raw`; undefined leaves one out. */
  readonly files?: Readonly<Record<string, Buffer | undefined>>;
}

const storage = [
  { path: "/cocoon/oci/blobs/abc.erofs", ro: true, serial: "cocoon-layer0", role: "layer" },
  { path: "/run/vms/X/cow.raw", ro: false, serial: "cocoon-cow", role: "cow" },
  {
    path: "/run/vms/X/data-db.raw",
    ro: false,
    serial: "db",
    role: "data",
    mount_point: "/var/lib/db",
    fstype: "ext4",
    direct_io: false,
  },
];

const envelope = {
  id: "5B5DLVB2M2M6GON6MDSLRLBI6J",
  name: "golden",
  description: "from afar",
  image_blob_ids: { abc: {} },
  hypervisor: "cloud-hypervisor",
  nics: 1,
  cpu: 2,
  memory: 512 * mib,
  storage: 10 * 1024 * mib,
  image: "ghcr.io/x/y:1",
  image_digest: "sha256:abc",
  image_type: "oci",
  network: "cocoon-net",
};

const kernel = "/cocoon/oci/boot/abc/vmlinuz";
const initrd = "/cocoon/oci/boot/abc/initrd.img";

const config = {
  cpus: { boot_vcpus: 2, max_vcpus: 2 },
  memory: { size: 512 * mib, shared: false, hugepages: true },
  payload: { kernel, initramfs: initrd, cmdline: "console=hvc0" },
  disks: storage.map(({ path, ro }) => ({ path, readonly: ro })),
  net: [{ id: "_net0", tap: "tap0", mac: "52:54:00:00:00:01", num_queues: 4, queue_size: 256 }],
  // JSON has it as a number, which JavaScript cannot hold.
  balloon: { seed: "18446744073709551615" },
};

const disk = dense(3 * mib);
const diskMap = `[{"o":0,"l":${mib}},{"o":${4 * mib},"l":${2 * mib}}]`;

/** An archive as `cocoon snapshot export` writes it: the envelope, then the files by their names, those with holes with its own keys. */
function archive(wanted: Wanted = {}): Buffer {
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const files: Record<string, Buffer | undefined> = {
    "cocoon.json": json(
      wanted.sidecar ?? {
        storage_configs: storage,
        boot_config: { kernel_path: kernel, initrd_path: initrd, cmdline: "console=hvc0 rw" },
      },
    ),
    "config.json": Buffer.from(
      json(wanted.config ?? config)
        .toString()
        .replace('"18446744073709551615"', "18446744073709551615"),
    ),
    "cow.raw": sparse("cow.raw"),
    "data-db.raw": file("data-db.raw", dense(mib, 2)),
    "memory-ranges": file("memory-ranges", dense(2 * mib, 3)),
    "state.json": json({ snapshots: {} }),
    ...wanted.files,
  };
  const entries = Object.entries(files).flatMap(([name, content]) => {
    if (content === undefined) return [];
    return name.endsWith(".json") ? [file(name, content)] : [content];
  });
  const head = { config: wanted.envelope ?? envelope, version: wanted.version ?? 1 };
  return tar(file("snapshot.json", `${JSON.stringify(head, undefined, "  ")}\n`), ...entries);
}

function sparse(name: string): Buffer {
  return Buffer.concat([
    pax(["COCOON.sparse.map", diskMap], ["COCOON.sparse.size", String(64 * mib)]),
    file(name, disk),
  ]);
}

async function unpack(bytes: Buffer, directory: string) {
  return await unpackSnapshot(host, pieces(bytes, 65_536), directory);
}

describe("a snapshot of Cocoon's", () => {
  test("becomes one of silk's, with its disks, what it boots from, and its files", async () => {
    using directory = temporaryDirectory();
    const manifest = await unpack(archive(), directory.path);
    expect(manifest).toMatchObject({
      format: "silk-snapshot",
      version: 1,
      id: envelope.id,
      name: "golden",
      description: "from afar",
      backend: "cloud-hypervisor",
      vm: {
        config: {
          cpus: 2,
          memoryBytes: 512 * mib,
          storageBytes: 10 * 1024 * mib,
          hugepages: true,
          sharedMemory: false,
          image: "ghcr.io/x/y:1",
          imageType: "oci-vm",
          network: "cocoon-net",
        },
        boot: {
          kind: "direct",
          kernelPath: kernel,
          initrdPath: initrd,
          cmdline: "console=hvc0 rw",
        },
        disks: [
          { path: storage[0]?.path, role: "layer", readonly: true, serial: "cocoon-layer0" },
          { role: "cow", readonly: false, file: "cow.raw", sizeBytes: 64 * mib },
          {
            role: "data",
            serial: "db",
            file: "data-db.raw",
            mountPoint: "/var/lib/db",
            fstype: "ext4",
            directIo: false,
          },
        ],
        nics: [{ mac: "52:54:00:00:00:01", queues: 4, queueSize: 256 }],
        imageBlobIds: ["abc"],
        firstBooted: true,
      },
      externals: [{ path: kernel }, { path: initrd }, { path: storage[0]?.path }],
    });
    expect(manifest.vm.disks[0]?.file).toBeUndefined();
    const names = ["config.json", "cow.raw", "data-db.raw", "memory-ranges", "state.json"];
    expect(manifest.files.map(({ name }) => name)).toEqual(names);
    expect(readdirSync(directory.path)).toEqual([...names, "silk.json"].toSorted());
    const cow = Buffer.alloc(64 * mib);
    disk.copy(cow, 0, 0, mib);
    disk.copy(cow, 4 * mib, mib);
    expect(readFileSync(directory.join("cow.raw")).equals(cow)).toBe(true);
    expect(statSync(directory.join("cow.raw")).blocks * 512).toBe(3 * mib);
    expect(manifest.files[1]?.chunksSha256).toBe(referenceDigest(cow));
    expect(readFileSync(directory.join("config.json"), "utf8")).toContain(":18446744073709551615}");
  });

  test("is read from gzip too, and gets a name and an id where it has none", async () => {
    using directory = temporaryDirectory();
    const { id: _id, name: _name, ...nameless } = envelope;
    const bytes = gzipSync(archive({ envelope: { ...nameless, name: "" } }));
    const manifest = await unpack(bytes, directory.path);
    expect(manifest.id).toMatch(/^[0-9a-f]{32}$/);
    expect(manifest.name).toBe(`cocoon-${manifest.id.slice(0, 8)}`);
  });

  test("boots from what the VMM's configuration tells where nothing else does", async () => {
    using directory = temporaryDirectory();
    const manifest = await unpack(
      archive({ sidecar: { storage_configs: storage } }),
      directory.path,
    );
    expect(manifest.vm.boot).toEqual({
      kind: "direct",
      kernelPath: kernel,
      initrdPath: initrd,
      cmdline: "console=hvc0",
    });
  });

  test.skipIf(!hasQemuImg)(
    "of a cloud image brings its overlay, and names the image below it",
    async () => {
      using directory = temporaryDirectory();
      using made = temporaryDirectory();
      const image = { base: made.join("base.qcow2"), overlay: made.join("overlay.qcow2") };
      const create = ["create", "-q", "-f", "qcow2"];
      for (const args of [
        [...create, image.base, "1G"],
        [...create, "-F", "qcow2", "-b", image.base, image.overlay],
      ])
        expect(await host.processes.run({ command: "qemu-img", args })).toMatchObject({
          exitCode: 0,
        });
      const disks = [
        { path: "/run/vms/X/overlay.qcow2", ro: false, serial: "", role: "cow" },
        { path: "/run/vms/X/cidata.img", ro: true, serial: "", role: "cidata" },
      ];
      const manifest = await unpack(
        archive({
          envelope: { ...envelope, image_type: "cloudimg" },
          sidecar: { storage_configs: disks, boot_config: { firmware_path: "/fw/CLOUDHV.fd" } },
          config: {
            ...config,
            payload: { firmware: "/fw/CLOUDHV.fd" },
            disks: disks.map(({ path, ro }) => ({ path, readonly: ro })),
            net: null,
          },
          files: {
            "cow.raw": undefined,
            "data-db.raw": undefined,
            "overlay.qcow2": file("overlay.qcow2", readFileSync(image.overlay)),
            "cidata.img": file("cidata.img", dense(100)),
          },
        }),
        directory.path,
      );
      expect(manifest.vm).toMatchObject({
        boot: { kind: "firmware", firmwarePath: "/fw/CLOUDHV.fd" },
        disks: [
          { role: "cow", file: "overlay.qcow2" },
          { role: "cidata", file: "cidata.img", readonly: true },
        ],
        nics: [],
      });
      expect(manifest.externals).toEqual([{ path: "/fw/CLOUDHV.fd" }, { path: image.base }]);
    },
  );
});

describe("an archive of Cocoon's is refused where", () => {
  const [, cow, data] = storage;
  const invalid = "ARCHIVE_INVALID";
  const cases: readonly (readonly [what: string, wanted: Wanted, code: string, words: RegExp])[] = [
    [
      "it is of Firecracker",
      { envelope: { ...envelope, hypervisor: "firecracker" } },
      "SNAPSHOT_UNSUPPORTED",
      /a VM of "firecracker"/,
    ],
    [
      "it is of a later version",
      { version: 2 },
      invalid,
      /version: is a version that this silk does not know/,
    ],
    [
      "its envelope has a name that is none",
      { envelope: { ...envelope, name: 5 } },
      invalid,
      /snapshot\.json is not valid: config\.name/,
    ],
    [
      "its envelope has a size that is none",
      { envelope: { ...envelope, memory: -1 } },
      invalid,
      /config\.memory/,
    ],
    [
      "it has no configuration",
      { files: { "config.json": undefined } },
      invalid,
      /config\.json is missing/,
    ],
    ["it has no state", { files: { "state.json": undefined } }, invalid, /state\.json is missing/],
    [
      "it has no memory",
      { files: { "memory-ranges": undefined } },
      invalid,
      /the guest's memory is missing/,
    ],
    [
      "it does not tell of its disks",
      { files: { "cocoon.json": undefined } },
      invalid,
      /cocoon\.json is missing/,
    ],
    [
      "its configuration is no JSON",
      { files: { "config.json": Buffer.from("{") } },
      invalid,
      /config\.json in it is no JSON/,
    ],
    [
      "its configuration is none",
      { config: { cpus: {} } },
      invalid,
      /config\.json is not valid: cpus\.boot_vcpus/,
    ],
    [
      "a disk's content is missing",
      { files: { "cow.raw": undefined } },
      invalid,
      /the content of the disk \/run\/vms\/X\/cow\.raw is missing: cow\.raw or overlay\.qcow2/,
    ],
    [
      "a data disk's content is missing",
      { files: { "data-db.raw": undefined } },
      invalid,
      /missing: data-db\.raw/,
    ],
    [
      "it has other disks than the VMM had",
      { config: { ...config, disks: [] } },
      invalid,
      /tell of different disks/,
    ],
    [
      "its disks are in another order",
      { sidecar: { storage_configs: storage.toReversed() } },
      invalid,
      /tell of different disks at/,
    ],
    [
      "a disk is writable in one place alone",
      { sidecar: { storage_configs: [{ ...storage[0], ro: false }, cow, data] } },
      invalid,
      /tell of different disks at/,
    ],
    [
      "a disk has a relative path",
      { sidecar: { storage_configs: [{ ...cow, path: "cow.raw" }] } },
      invalid,
      /must be an absolute path/,
    ],
    [
      "a disk has a role that is not known",
      { sidecar: { storage_configs: [{ ...cow, role: "swap" }] } },
      invalid,
      /storage_configs\.0\.role/,
    ],
    [
      "it boots from nothing",
      { sidecar: { storage_configs: storage }, config: { ...config, payload: null } },
      invalid,
      /does not tell what the VM boots from/,
    ],
    [
      "it has a file that nobody knows",
      { files: { "evil.sh": file("evil.sh", "x") } },
      invalid,
      /evil\.sh does not belong into it/,
    ],
    [
      "a serial is not one",
      { sidecar: { storage_configs: [storage[0], { ...cow, serial: "x,y" }, data] } },
      "INVALID_DISK",
      /has the serial "x,y"/,
    ],
  ];
  for (const [what, wanted, code, words] of cases)
    test(what, async () => {
      using directory = temporaryDirectory();
      await expect(unpack(archive(wanted), directory.path)).rejects.toMatchObject({
        name: "SilkError",
        code,
        message: expect.stringMatching(words),
      });
      expect(readdirSync(directory.path)).not.toContain("silk.json");
    });
});
