import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { PackedPackage } from "./packages.ts";

/** A registry of our packages alone, so that they are installed by their names, as users do; others come from where npm takes them. */
export interface Registry extends AsyncDisposable {
  /** What makes npm ask it for the packages of our scope. */
  readonly npmFlag: string;
}

export async function serveRegistry(packages: readonly PackedPackage[]): Promise<Registry> {
  const byName = new Map(packages.map((packed) => [packed.name, packed]));
  const contents = createHash("sha256");
  for (const { tarball } of packages) contents.update(tarball);
  // npm keeps what it was answered under an address: other contents have another one.
  const base = `/${contents.digest("hex")}/`;
  const server = createServer((request, response) => {
    const asked = decodeURIComponent((request.url ?? "").slice(base.length));
    const packed = byName.get(asked.replace(/\.tgz$/, ""));
    if (packed === undefined) response.writeHead(404).end();
    else if (asked.endsWith(".tgz")) response.end(packed.tarball);
    else answerJson(response, describePackage(packed, request, base));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    npmFlag: `--@silkvm:registry=http://127.0.0.1:${port}${base}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function describePackage(packed: PackedPackage, request: IncomingMessage, base: string): unknown {
  const { name, manifest, tarball } = packed;
  const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
  const address = `http://${request.headers.host}${base}${encodeURIComponent(name)}.tgz`;
  return {
    name,
    "dist-tags": { latest: manifest.version },
    versions: { [manifest.version]: { ...manifest, dist: { tarball: address, integrity } } },
  };
}

function answerJson(response: ServerResponse, value: unknown): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
}
