import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Bed, canConvert } from "./bed.ts";
import { type Answer, layoutAnswer, sendRange, startServer } from "./fake-registry.ts";
import { writeLayout } from "./oci-layout.ts";
import { buildTar } from "./tar-builder.ts";

const tar = buildTar([
  { name: "./", type: "5" },
  { name: "noise", content: randomBytes(3_000_000) },
]);

async function prepare(bed: Bed): Promise<{ layout: Answer; layer: string; bytes: Buffer }> {
  writeLayout(bed.path("layout"), [{ layers: [{ tar }] }]);
  const manifestDigest =
    (
      JSON.parse(readFileSync(bed.path("layout/index.json"), "utf8")) as {
        manifests: { digest: string }[];
      }
    ).manifests[0]?.digest ?? "";
  const manifest = JSON.parse(
    readFileSync(bed.path("layout/blobs/sha256", manifestDigest.slice(7)), "utf8"),
  ) as { layers: { digest: string }[] };
  const layer = manifest.layers[0]?.digest ?? "";
  return {
    layout: layoutAnswer(bed.path("layout")),
    layer,
    bytes: readFileSync(bed.path("layout/blobs/sha256", layer.slice(7))),
  };
}

const once = (answer: Answer): Answer => {
  let done = false;
  return (request, response) => {
    if (done) return false;
    const result = answer(request, response);
    if (result === true) done = true;
    return result;
  };
};

describe.skipIf(!canConvert)("with a registry that misbehaves", () => {
  test("a connection that is cut is taken up where it broke off", async () => {
    await using bed = new Bed();
    const { layout, layer, bytes } = await prepare(bed);
    let cuts = 0;
    const cut: Answer = ({ path, headers }, response) => {
      if (!path.endsWith(layer) || cuts >= 8) return false;
      cuts += 1;
      const start = Number(/(\d+)-/.exec(headers.range ?? "")?.[1] ?? 0);
      response.writeHead(start > 0 ? 206 : 200, {
        "content-length": bytes.length - start,
        ...(start > 0
          ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` }
          : {}),
      });
      response.write(bytes.subarray(start, start + 300_000), () => response.destroy());
      return true;
    };
    const { host, asked } = await startServer(bed, cut, layout);
    await bed.images.pull(`${host}/acme/web`);
    expect(cuts).toBe(8);
    const ranges = asked
      .filter(({ path }) => path.endsWith(layer))
      .map(({ headers }) => headers.range);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.slice(1).every((range) => range !== undefined)).toBe(true);
  });

  test("a connection that falls silent is given up after a while, and taken up again", async () => {
    await using bed = new Bed({ http: { backoffMs: 5, stallTimeoutMs: 300 } });
    const { layout, layer, bytes } = await prepare(bed);
    const stall = once(({ path }, response) => {
      if (!path.endsWith(layer)) return false;
      response.writeHead(200, { "content-length": bytes.length });
      response.write(bytes.subarray(0, 100_000));
      return true;
    });
    const { host } = await startServer(bed, stall, layout);
    await bed.images.pull(`${host}/acme/web`);
  });

  test("a server that never answers is given up, and what was downloaded stays for the next pull", async () => {
    await using bed = new Bed({ http: { backoffMs: 5, stallTimeoutMs: 200, attempts: 2 } });
    const { layout, layer, bytes } = await prepare(bed);
    let silent = true;
    const answer: Answer = ({ path, headers }, response) => {
      if (!path.endsWith(layer) || !silent) return false;
      if (headers.range === undefined) {
        response.writeHead(200, { "content-length": bytes.length });
        response.write(bytes.subarray(0, 1_000_000));
      }
      return true;
    };
    const { host, asked } = await startServer(bed, answer, layout);
    await expect(bed.images.pull(`${host}/acme/web`)).rejects.toMatchObject({
      code: "SERVER_SILENT",
      kind: "timeout",
    });
    expect(readdirSync(bed.path("root/images/downloads"))).toHaveLength(1);
    silent = false;
    await using next = bed.open();
    await next.pull(`${host}/acme/web`);
    expect(asked.at(-1)?.headers.range).toBe("bytes=1000000-");
  });

  test("an abort ends the pull at once, and the next one goes on", async () => {
    await using bed = new Bed();
    const { layout, layer, bytes } = await prepare(bed);
    const hang = once(({ path }, response) => {
      if (!path.endsWith(layer)) return false;
      response.writeHead(200, { "content-length": bytes.length });
      response.write(bytes.subarray(0, 2_000_000));
      return true;
    });
    const { host } = await startServer(bed, hang, layout);
    const controller = new AbortController();
    const pull = bed.images.pull(`${host}/acme/web`, {
      signal: controller.signal,
      onProgress: ({ doneBytes = 0 }) => {
        if (doneBytes > 1_000_000) controller.abort();
      },
    });
    await expect(pull).rejects.toMatchObject({ kind: "aborted" });
    expect(readdirSync(bed.path("root/images/work"))).toEqual([]);
    await using next = bed.open();
    await next.pull(`${host}/acme/web`);
  });

  test("content that is not what its digest says is thrown away, and named", async () => {
    await using bed = new Bed();
    const { layout, layer, bytes } = await prepare(bed);
    const wrong = Buffer.from(bytes);
    wrong[1000] = (wrong[1000] ?? 0) ^ 1;
    const { host } = await startServer(
      bed,
      ({ path, headers }, response) => {
        if (!path.endsWith(layer)) return false;
        sendRange(response, wrong, headers.range);
        return true;
      },
      layout,
    );
    await expect(bed.images.pull(`${host}/acme/web`)).rejects.toMatchObject({
      code: "DIGEST_MISMATCH",
      details: { expected: layer },
    });
    expect(readdirSync(bed.path("root/images/downloads"))).toEqual([]);
    expect(readdirSync(bed.path("root/images/blobs"))).toEqual([]);
    expect(bed.images.list()).toEqual([]);
  });

  test("a part of a download that is damaged on the disk is found out, and fetched again", async () => {
    await using bed = new Bed();
    const { layout, layer, bytes } = await prepare(bed);
    mkdirSync(bed.path("root/images/downloads"), { recursive: true });
    const partial = Buffer.from(bytes.subarray(0, 500_000));
    partial.fill(0, 1000, 5000);
    writeFileSync(bed.path(`root/images/downloads/sha256-${layer.slice(7)}.partial`), partial);
    const { host } = await startServer(bed, layout);
    await bed.images.pull(`${host}/acme/web`);
  });

  test.each([
    {
      name: "more than it should",
      length: (n: number) => n + 10,
      extra: 10,
      code: "SIZE_MISMATCH",
    },
    {
      name: "a length that is larger than what comes",
      length: (n: number) => n + 10,
      extra: 0,
      code: "SERVER_UNREACHABLE",
    },
    {
      name: "less than it should, and says so",
      length: (n: number) => n - 1000,
      extra: -1000,
      code: "SERVER_UNREACHABLE",
    },
  ])("a server that sends $name does not get its way", async ({ length, extra, code }) => {
    await using bed = new Bed({ http: { backoffMs: 5, stallTimeoutMs: 300, attempts: 2 } });
    const { layout, layer, bytes } = await prepare(bed);
    const lying: Answer = ({ path, headers }, response) => {
      if (!path.endsWith(layer)) return false;
      if (headers.range !== undefined) return (response.writeHead(416).end(), true);
      response.writeHead(200, { "content-length": length(bytes.length) });
      const sent =
        extra >= 0 ? Buffer.concat([bytes, Buffer.alloc(extra)]) : bytes.subarray(0, extra);
      response.write(sent, () => {
        if (sent.length === length(bytes.length)) response.end();
        else response.destroy();
      });
      return true;
    };
    const { host } = await startServer(bed, lying, layout);
    const pulled = await bed.images.pull(`${host}/acme/web`).catch((error: unknown) => error);
    // A length that lies about bytes that are all there does no harm.
    if (extra === 0 && (pulled as { changed?: boolean }).changed === true) return;
    expect(pulled).toMatchObject({ code });
    expect(bed.images.list()).toEqual([]);
  });

  test("a server that ignores ranges is asked for the whole again", async () => {
    await using bed = new Bed();
    const { layout, layer, bytes } = await prepare(bed);
    mkdirSync(bed.path("root/images/downloads"), { recursive: true });
    writeFileSync(
      bed.path(`root/images/downloads/sha256-${layer.slice(7)}.partial`),
      bytes.subarray(0, 500_000),
    );
    const { host } = await startServer(
      bed,
      ({ path }, response) => {
        if (!path.endsWith(layer)) return false;
        sendRange(response, bytes, undefined);
        return true;
      },
      layout,
    );
    await bed.images.pull(`${host}/acme/web`);
  });

  test("errors that pass are waited out, as long as the server says", async () => {
    await using bed = new Bed();
    const { layout } = await prepare(bed);
    const statuses = [500, 503, 429, 502];
    const { host } = await startServer(
      bed,
      ({ path }, response) => {
        if (!path.includes("manifests")) return false;
        const status = statuses.shift();
        if (status === undefined) return false;
        response.writeHead(status, status === 429 ? { "retry-after": "0" } : {}).end();
        return true;
      },
      layout,
    );
    await bed.images.pull(`${host}/acme/web`);
    expect(statuses).toEqual([]);
  });

  test("a server that always fails is given up", async () => {
    await using bed = new Bed({ http: { backoffMs: 1, attempts: 3 } });
    const { host, asked } = await startServer(
      bed,
      (_, response) => (response.writeHead(503).end(), true),
    );
    await expect(bed.images.pull(`${host}/acme/web`)).rejects.toMatchObject({
      code: "REGISTRY_FAILED",
      kind: "unavailable",
    });
    expect(asked).toHaveLength(3);
  });

  test("where nobody listens that is said", async () => {
    await using bed = new Bed({ http: { backoffMs: 1, attempts: 2 } });
    const { host, server } = await startServer(bed);
    await new Promise((resolve) => server.close(resolve));
    await expect(bed.images.pull(`${host}/acme/web`)).rejects.toMatchObject({
      code: "SERVER_UNREACHABLE",
      kind: "unavailable",
    });
  });
});

describe.skipIf(!canConvert)("logins", () => {
  const login = (bed: Bed, host: string, password: string) => {
    mkdirSync(bed.path("docker"), { recursive: true });
    writeFileSync(
      bed.path("docker/config.json"),
      JSON.stringify({
        auths: { [host]: { auth: Buffer.from(`ann:${password}`).toString("base64") } },
      }),
    );
    return bed.open({ environment: { DOCKER_CONFIG: bed.path("docker") } });
  };

  test("a token is got from where the registry says, with the login, and one that grows old is renewed", async () => {
    await using bed = new Bed();
    const { layout, layer } = await prepare(bed);
    let valid = "";
    let tokens = 0;
    const { host, asked } = await startServer(
      bed,
      ({ path, headers }, response) => {
        if (!path.startsWith("/token")) return false;
        const basic = Buffer.from(
          (headers.authorization ?? "").replace("Basic ", ""),
          "base64",
        ).toString();
        if (basic !== "ann:s3cret") return (response.writeHead(401).end(), true);
        tokens += 1;
        valid = `token-${tokens}`;
        response.end(JSON.stringify({ token: valid, expires_in: 60 }));
        return true;
      },
      ({ path, headers }, response) => {
        if (path.endsWith(layer) && tokens === 1) valid = "";
        if (headers.authorization === `Bearer ${valid}` && valid !== "") return false;
        response
          .writeHead(401, {
            "www-authenticate": `Bearer realm="http://${headers.host}/token",service="test",scope="repository:acme/web:pull"`,
          })
          .end();
        return true;
      },
      layout,
    );
    await using images = login(bed, host, "s3cret");
    await images.pull(`${host}/acme/web`);
    expect(tokens).toBe(2);
    expect(asked.find(({ path }) => path.startsWith("/token"))?.path).toBe(
      "/token?service=test&scope=repository%3Aacme%2Fweb%3Apull",
    );
  });

  test("a registry that refuses every token ends the pull, and no secret is told", async () => {
    await using bed = new Bed();
    const { host, asked } = await startServer(
      bed,
      ({ path }, response) =>
        path.startsWith("/token") ? (response.end('{"token":"t0k3n"}'), true) : false,
      ({ headers }, response) => (
        response
          .writeHead(401, {
            "www-authenticate": `Bearer realm="http://${headers.host}/token",service="test"`,
          })
          .end(),
        true
      ),
    );
    await using images = login(bed, host, "s3cret");
    const error: unknown = await images.pull(`${host}/acme/web`).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "REGISTRY_DENIED", kind: "denied" });
    expect(JSON.stringify(error)).not.toMatch(/s3cret|t0k3n|YW5u/);
    expect(asked.length).toBeLessThan(8);
  });

  test("a redirect to another host goes without the login", async () => {
    await using bed = new Bed();
    const { layout, layer, bytes } = await prepare(bed);
    const storage = await startServer(bed, ({ path, headers }, response) => {
      if (!path.startsWith("/storage")) return false;
      sendRange(response, bytes, headers.range);
      return true;
    });
    const { host } = await startServer(
      bed,
      ({ headers }, response) =>
        headers.authorization === undefined
          ? (response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end(), true)
          : false,
      ({ path }, response) =>
        path.endsWith(layer)
          ? (response
              .writeHead(307, { location: `http://${storage.host}/storage?X-Signature=abc` })
              .end(),
            true)
          : false,
      layout,
    );
    await using images = login(bed, host, "s3cret");
    await images.pull(`${host}/acme/web`);
    expect(storage.asked.every(({ headers }) => headers.authorization === undefined)).toBe(true);
    expect(storage.asked.length).toBeGreaterThan(0);
  });

  test("redirects without end are given up", async () => {
    await using bed = new Bed({ http: { backoffMs: 1, attempts: 2 } });
    const { host, asked } = await startServer(
      bed,
      ({ path }, response) => (response.writeHead(302, { location: `${path}x` }).end(), true),
    );
    await expect(bed.images.pull(`${host}/acme/web`)).rejects.toMatchObject({
      code: "SERVER_UNREACHABLE",
    });
    expect(asked.length).toBeLessThan(30);
  });

  test("a registry of another machine is not asked without encryption", async () => {
    await using bed = new Bed({ http: { backoffMs: 1, attempts: 1, connectTimeoutMs: 2_000 } });
    const { asked } = await startServer(bed);
    await expect(bed.images.pull("registry.invalid/acme/web")).rejects.toMatchObject({
      code: "SERVER_UNREACHABLE",
    });
    expect(asked).toEqual([]);
  });
});

test("programs that are missing are named before anything is downloaded", async () => {
  await using bed = new Bed();
  writeLayout(bed.path("layout"), [{ layers: [{ tar }] }]);
  const path = process.env["PATH"];
  process.env["PATH"] = bed.path("nowhere");
  bed.defer(() => void (process.env["PATH"] = path));
  await expect(bed.images.import(bed.path("layout"), { name: "x" })).rejects.toMatchObject({
    code: "MKFS_EROFS_NOT_FOUND",
    kind: "unavailable",
  });
});
