import { spawn } from "node:child_process";
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Bed, canConvert, has, hasRegistry, run, startRegistry } from "./bed.ts";
import { sha256, writeLayout } from "./oci-layout.ts";
import { buildTar } from "./tar-builder.ts";

const base = buildTar([
  { name: "./", type: "5" },
  { name: "boot/", type: "5" },
  { name: "boot/vmlinuz-6.1.0", content: "kernel 6.1" },
  { name: "boot/initrd.img-6.1.0", content: "initrd 6.1" },
  { name: "etc/", type: "5" },
  { name: "etc/os-release", content: "ID=test\n" },
]);
const app = buildTar([
  { name: "./", type: "5" },
  { name: "srv/", type: "5" },
  { name: "srv/app", content: "x".repeat(100_000) },
]);

function push(bed: Bed, target: string, ...options: readonly string[]): void {
  run(
    "skopeo",
    "copy",
    "--dest-tls-verify=false",
    ...options,
    `oci:${bed.path("layout")}:latest`,
    `docker://${target}`,
  );
}

describe.skipIf(!hasRegistry || !canConvert)("with a real registry", () => {
  test("an image is pulled, found by its names and its digest, tagged, and removed", async () => {
    await using bed = new Bed();
    const registry = await startRegistry(bed);
    const digest = writeLayout(bed.path("layout"), [
      {
        layers: [{ tar: base }, { tar: app, compression: "zstd" }],
        config: { Cmd: ["/bin/app"], Env: ["A=b"], User: "7", WorkingDir: "/srv" },
      },
    ]);
    push(bed, `${registry}/acme/web:1.0`);
    const phases: string[] = [];
    const { image, changed } = await bed.images.pull(`${registry}/acme/web:1.0`, {
      onProgress: ({ phase }) => phases.push(phase),
    });
    expect(changed).toBe(true);
    expect(image).toMatchObject({
      ref: `${registry}/acme/web:1.0`,
      digest,
      type: "oci-vm",
      architecture: "amd64",
      run: { cmd: ["/bin/app"], env: ["A=b"], user: "7", workingDir: "/srv", entrypoint: [] },
      kernel: { path: "/boot/vmlinuz-6.1.0" },
      initrd: { path: "/boot/initrd.img-6.1.0" },
    });
    expect(phases).toEqual(
      expect.arrayContaining(["resolving", "downloading", "converting", "done"]),
    );
    expect(readdirSync(bed.path("root/images/downloads"))).toEqual([]);
    expect(readdirSync(bed.path("root/images/work"))).toEqual([]);
    for (const id of image.blobIds) expect(statSync(bed.blob(id)).mode & 0o777).toBe(0o444);
    expect(readFileSync(bed.blob(image.kernel?.blobId ?? ""), "utf8")).toBe("kernel 6.1");

    expect(await bed.images.pull(`${registry}/acme/web:1.0`)).toEqual({ image, changed: false });
    expect(await bed.images.pull(`${registry}/acme/web@${digest}`)).toMatchObject({
      changed: true,
      image: { digest, blobIds: image.blobIds },
    });
    await bed.images.tag(`${registry}/acme/web:1.0`, "web");
    expect(bed.images.inspect("web")).toMatchObject({
      ref: "docker.io/library/web:latest",
      digest,
    });
    expect(bed.images.inspect(digest.slice(7, 19)).digest).toBe(digest);
    expect(bed.images.list().map(({ ref }) => ref)).toHaveLength(3);

    const { image: leased, lease } = await bed.images.lease("web");
    expect(leased.layers.map(({ serial }) => serial)).toEqual(["cocoon-layer0", "cocoon-layer1"]);
    expect(leased.kernelPath).toBe(bed.blob(image.kernel?.blobId ?? ""));
    await expect(bed.images.collectGarbage({ waitMs: 0 })).rejects.toMatchObject({
      code: "IMAGES_BUSY",
      kind: "busy",
    });
    await lease.release();

    const first = await bed.images.remove("web");
    expect(first.freed).toEqual([]);
    expect(first.kept).toHaveLength(4);
    const last = await bed.images.remove(digest);
    expect(last.freed.length).toBeGreaterThanOrEqual(4);
    expect(bed.images.list()).toEqual([]);
    expect(readdirSync(bed.path("root/images/blobs"))).toEqual([]);
  });

  test("what is not there, not for this machine, or not an image is said in plain words", async () => {
    await using bed = new Bed();
    const registry = await startRegistry(bed);
    writeLayout(bed.path("layout"), [{ layers: [{ tar: app }], architecture: "s390x" }]);
    push(bed, `${registry}/acme/big:1`);
    await expect(bed.images.pull(`${registry}/acme/big:2`)).rejects.toMatchObject({
      code: "IMAGE_NOT_FOUND",
      kind: "not-found",
    });
    await expect(bed.images.pull(`${registry}/acme/none`)).rejects.toMatchObject({
      code: "IMAGE_NOT_FOUND",
    });
    await expect(bed.images.pull(`${registry}/acme/big:1`)).rejects.toMatchObject({
      code: "ARCHITECTURE_MISSING",
      kind: "unsupported",
      details: { known: ["linux/s390x"] },
    });
    await expect(bed.images.pull("Acme")).rejects.toMatchObject({
      code: "INVALID_IMAGE_NAME",
      kind: "invalid",
    });
    expect(() => bed.images.inspect("nothing")).toThrow(
      expect.objectContaining({ code: "IMAGE_NOT_FOUND" }),
    );
    expect(bed.images.list()).toEqual([]);
  });

  test("of an index for several machines the one for this machine is taken", async () => {
    await using bed = new Bed();
    const registry = await startRegistry(bed);
    writeLayout(bed.path("layout"), [
      { layers: [{ tar: app }], architecture: "arm64" },
      { layers: [{ tar: base }], architecture: "amd64" },
    ]);
    const index = readFileSync(bed.path("layout/index.json"));
    // skopeo copies one image of a layout; the index itself is put as the registry takes it.
    for (const { digest } of (JSON.parse(index.toString()) as { manifests: { digest: string }[] })
      .manifests) {
      const bytes = readFileSync(bed.path("layout/blobs/sha256", digest.slice(7)));
      const manifest = JSON.parse(bytes.toString()) as {
        config: { digest: string };
        layers: { digest: string }[];
      };
      for (const blob of [manifest.config, ...manifest.layers])
        await upload(
          registry,
          "acme/multi",
          readFileSync(bed.path("layout/blobs/sha256", blob.digest.slice(7))),
          blob.digest,
        );
      await put(
        registry,
        "acme/multi",
        digest,
        bytes,
        "application/vnd.oci.image.manifest.v1+json",
      );
    }
    const list = Buffer.from(
      JSON.stringify({
        ...(JSON.parse(index.toString()) as object),
        mediaType: "application/vnd.oci.image.index.v1+json",
      }),
    );
    await put(registry, "acme/multi", "latest", list, "application/vnd.oci.image.index.v1+json");
    const { image } = await bed.images.pull(`${registry}/acme/multi`);
    expect(image.type).toBe("oci-vm");
    const pinned = await bed.images.pull(`${registry}/acme/multi:latest@${sha256(list)}`);
    expect(pinned.image.digest).toBe(image.digest);
  });

  test("eight processes that pull one image at once leave one set of blobs", async () => {
    await using bed = new Bed();
    const registry = await startRegistry(bed);
    writeLayout(bed.path("layout"), [{ layers: [{ tar: base }, { tar: app }] }]);
    push(bed, `${registry}/acme/web`);
    const pulls = Array.from({ length: 8 }, () => {
      const child = spawn(process.execPath, [
        "--conditions=@silkvm/source",
        new URL("pull-child.ts", import.meta.url).pathname,
        JSON.stringify({ rootDir: bed.rootDir, name: `${registry}/acme/web` }),
      ]);
      let text = "";
      child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
      return new Promise<string>((resolve) => child.on("close", () => resolve(text)));
    });
    const outcomes = (await Promise.all(pulls)).map(
      (text) => JSON.parse(text) as { blobIds?: string[] },
    );
    for (const { blobIds } of outcomes) expect(blobIds).toEqual(outcomes[0]?.blobIds);
    expect(
      readdirSync(bed.path("root/images/blobs"))
        .filter((name) => !name.endsWith(".facts"))
        .sort(),
    ).toEqual([...(outcomes[0]?.blobIds ?? [])].sort());
    expect(readdirSync(bed.path("root/images/downloads"))).toEqual([]);
    expect(readdirSync(bed.path("root/images/work"))).toEqual([]);
  }, 120_000);

  test.skipIf(!has("htpasswd"))(
    "a login is taken from Docker's files, and from a helper",
    async () => {
      await using bed = new Bed();
      const secret = "p4ss-w0rd";
      writeFileSync(bed.path("htpasswd"), run("htpasswd", "-Bbn", "ann", secret));
      const registry = await startRegistry(
        bed,
        `auth: {htpasswd: {realm: test, path: ${bed.path("htpasswd")}}}\n`,
      );
      writeLayout(bed.path("layout"), [{ layers: [{ tar: app }] }]);
      push(bed, `${registry}/acme/web`, `--dest-creds=ann:${secret}`);
      const denied = await bed.images.pull(`${registry}/acme/web`).catch((error: unknown) => error);
      expect(denied).toMatchObject({ code: "REGISTRY_DENIED", kind: "denied" });
      mkdirSync(bed.path("docker"));
      const auth = (password: string): string =>
        JSON.stringify({
          auths: { [registry]: { auth: Buffer.from(`ann:${password}`).toString("base64") } },
        });
      writeFileSync(bed.path("docker/config.json"), auth("wrong-secret"));
      const environment = { DOCKER_CONFIG: bed.path("docker") };
      await using images = bed.open({ environment });
      const wrong = await images.pull(`${registry}/acme/web`).catch((error: unknown) => error);
      expect(wrong).toMatchObject({ code: "REGISTRY_DENIED" });
      expect(JSON.stringify(wrong)).not.toContain("wrong-secret");
      writeFileSync(bed.path("docker/config.json"), auth(secret));
      await using again = bed.open({ environment });
      await again.pull(`${registry}/acme/web`);

      mkdirSync(bed.path("bin"));
      writeFileSync(
        bed.path("bin/docker-credential-silktest"),
        `#!/bin/sh\nread server\necho "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"ann\\",\\"Secret\\":\\"${secret}\\"}"\n`,
        { mode: 0o755 },
      );
      writeFileSync(
        bed.path("docker/config.json"),
        JSON.stringify({ credHelpers: { [registry]: "silktest" } }),
      );
      const path = process.env["PATH"];
      process.env["PATH"] = `${bed.path("bin")}:${path}`;
      bed.defer(() => void (process.env["PATH"] = path));
      await using helped = bed.open({ environment });
      await helped.pull(`${registry}/acme/web`, { name: "other" });
    },
  );
});

describe.skipIf(!canConvert)("without a registry", () => {
  test("an image is imported from a layout, its tar, a compressed tar, and the standard input, and is the same image", async () => {
    await using bed = new Bed();
    const digest = writeLayout(bed.path("layout"), [{ layers: [{ tar: base }, { tar: app }] }]);
    run("tar", "-C", bed.path("layout"), "-cf", bed.path("oci.tar"), ".");
    writeFileSync(bed.path("oci.tar.gz"), gzipSync(readFileSync(bed.path("oci.tar"))));
    const fromDirectory = await bed.images.import(bed.path("layout"), { name: "one" });
    expect(fromDirectory.image).toMatchObject({ digest, type: "oci-vm" });
    for (const [name, source] of [
      ["two", bed.path("oci.tar")],
      ["three", bed.path("oci.tar.gz")],
      ["four", createReadStream(bed.path("oci.tar"))],
    ] as const) {
      const { image } = await bed.images.import(source, { name });
      expect(image.digest).toBe(digest);
      expect(image.blobIds).toEqual(fromDirectory.image.blobIds);
    }
    await expect(bed.images.import(bed.path("layout"))).rejects.toMatchObject({
      code: "NAME_MISSING",
    });
    await expect(bed.images.import(bed.path("nothing"))).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
    });
    expect(readdirSync(bed.path("root/images/work"))).toEqual([]);
  });

  test("of a layout with several images one must be chosen", async () => {
    await using bed = new Bed();
    writeLayout(bed.path("layout"), [
      { layers: [{ tar: base }], tag: "a" },
      { layers: [{ tar: app }], tag: "b" },
    ]);
    await expect(bed.images.import(bed.path("layout"), { name: "x" })).rejects.toMatchObject({
      code: "IMAGE_AMBIGUOUS",
      details: { names: ["a", "b"] },
    });
    expect(
      (await bed.images.import(bed.path("layout"), { name: "x", select: "b" })).image.type,
    ).toBe("oci-container");
  });

  test.skipIf(!has("skopeo"))(
    "what docker save writes is imported under its own name",
    async () => {
      await using bed = new Bed();
      writeLayout(bed.path("layout"), [{ layers: [{ tar: base }, { tar: app }] }]);
      run(
        "skopeo",
        "copy",
        `oci:${bed.path("layout")}:latest`,
        `docker-archive:${bed.path("saved.tar")}:acme/saved:3`,
      );
      const { image } = await bed.images.import(bed.path("saved.tar"));
      expect(image.ref).toBe("docker.io/acme/saved:3");
      const { image: same } = await bed.images.import(bed.path("layout"), { name: "same" });
      expect(image.blobIds).toEqual(same.blobIds);
    },
  );

  test("a root directory as a tar is an image of one layer", async () => {
    await using bed = new Bed();
    writeFileSync(bed.path("rootfs.tar.gz"), gzipSync(base));
    const { image } = await bed.images.import(bed.path("rootfs.tar.gz"), { name: "mine:1" });
    expect(image).toMatchObject({ ref: "docker.io/library/mine:1", type: "oci-vm" });
    expect((await bed.images.import(bed.path("rootfs.tar.gz"), { name: "mine:1" })).changed).toBe(
      false,
    );
  });

  test.skipIf(!has("xz"))("a root directory and an archive may be packed with xz", async () => {
    await using bed = new Bed();
    writeFileSync(bed.path("rootfs.tar"), base);
    const { image: plain } = await bed.images.import(bed.path("rootfs.tar"), { name: "mine:1" });
    run("xz", bed.path("rootfs.tar"));
    const { image, changed } = await bed.images.import(bed.path("rootfs.tar.xz"), {
      name: "mine:1",
    });
    expect([image, changed]).toEqual([plain, false]);

    writeLayout(bed.path("layout"), [{ layers: [{ tar: base }, { tar: app }] }]);
    run("tar", "-C", bed.path("layout"), "-cJf", bed.path("layout.txz"), ".");
    const { image: layered } = await bed.images.import(bed.path("layout.txz"), { name: "a:1" });
    const { image: same } = await bed.images.import(bed.path("layout"), { name: "b:1" });
    expect(layered.blobIds).toEqual(same.blobIds);
    expect(existsSync(bed.path("rootfs.tar.xz"))).toBe(true);
    expect(readdirSync(bed.path("root/images/work"))).toEqual([]);
  });

  test("one layer is one blob in whatever image it is, with the same bytes each time", async () => {
    await using bed = new Bed();
    await using other = new Bed();
    writeLayout(bed.path("a"), [{ layers: [{ tar: base }, { tar: app }] }]);
    writeLayout(bed.path("b"), [{ layers: [{ tar: app, compression: "zstd" }] }]);
    const a = await bed.images.import(bed.path("a"), { name: "a" });
    const b = await bed.images.import(bed.path("b"), { name: "b" });
    expect(b.image.layers[0]?.blobId).toBe(a.image.layers[1]?.blobId);
    const elsewhere = await other.images.import(bed.path("a"), { name: "a" });
    for (const id of elsewhere.image.blobIds)
      expect(readFileSync(other.blob(id)).equals(readFileSync(bed.blob(id)))).toBe(true);
  });

  test("a kernel that an upper layer replaces or removes does not count", async () => {
    await using bed = new Bed();
    const newer = buildTar([
      { name: "boot/", type: "5" },
      { name: "boot/vmlinuz-6.10.0", content: "kernel 6.10" },
      { name: "boot/initrd.img-6.10.0", content: "initrd 6.10" },
      { name: "boot/vmlinuz-6.9.0", content: "kernel 6.9" },
    ]);
    const gone = buildTar([{ name: "boot/", type: "5" }, { name: "boot/.wh.vmlinuz-6.10.0" }]);
    const none = buildTar([{ name: ".wh.boot" }]);
    const link = buildTar([
      { name: "boot/", type: "5" },
      { name: "boot/vmlinuz", type: "2", link: "vmlinuz-6.1.0" },
    ]);
    const kernels: Record<string, string | undefined> = {};
    for (const [name, layers] of Object.entries({
      newer: [base, newer],
      gone: [base, newer, gone],
      none: [base, newer, none],
      link: [base, newer, link],
    })) {
      writeLayout(bed.path(name), [{ layers: layers.map((tar) => ({ tar })) }]);
      const { image } = await bed.images.import(bed.path(name), { name });
      kernels[name] = `${image.kernel?.path} ${image.initrd?.path} ${image.type}`;
    }
    expect(kernels).toEqual({
      newer: "/boot/vmlinuz-6.10.0 /boot/initrd.img-6.10.0 oci-vm",
      gone: "/boot/vmlinuz-6.9.0 /boot/initrd.img-6.10.0 oci-vm",
      none: "undefined undefined oci-container",
      link: "/boot/vmlinuz-6.1.0 /boot/initrd.img-6.1.0 oci-vm",
    });
  });
});

async function upload(
  registry: string,
  repository: string,
  bytes: Buffer,
  digest: string,
): Promise<void> {
  const begun = await fetch(`http://${registry}/v2/${repository}/blobs/uploads/`, {
    method: "POST",
  });
  const url = new URL(begun.headers.get("location") ?? "", `http://${registry}`);
  url.searchParams.set("digest", digest);
  const done = await fetch(url, {
    method: "PUT",
    body: new Uint8Array(bytes),
    headers: { "content-type": "application/octet-stream" },
  });
  expect(done.status).toBe(201);
}

async function put(
  registry: string,
  repository: string,
  name: string,
  bytes: Buffer,
  type: string,
): Promise<void> {
  const done = await fetch(`http://${registry}/v2/${repository}/manifests/${name}`, {
    method: "PUT",
    body: new Uint8Array(bytes),
    headers: { "content-type": type },
  });
  expect(done.status).toBe(201);
}
