// Imports a kernel and makes a kit of it, on a host that may kill this process at the n-th effect. Told by one JSON argument.
import { killNth, withGate } from "@silkvm/core/testing";
import { linuxHost } from "@silkvm/sys";
import { openImages } from "../src/index.ts";

const request = JSON.parse(process.argv[2] as string) as {
  readonly rootDir: string;
  readonly source: string;
  readonly killAt: number;
};
const host = withGate(linuxHost(), killNth(request.killAt));
await using images = openImages({ host, rootDir: request.rootDir, environment: {} });
await images.importKernel(request.source, { name: "k" });
await images.kit();
