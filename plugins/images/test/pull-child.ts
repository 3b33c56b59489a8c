// Pulls an image, on a host that may kill this process at the n-th effect. Told by one JSON argument.
import { writeSync } from "node:fs";
import { toSilkError } from "@silkvm/core";
import { killNth, withGate } from "@silkvm/core/testing";
import { linuxHost } from "@silkvm/sys";
import { openImages } from "../src/index.ts";

const request = JSON.parse(process.argv[2] as string) as {
  readonly rootDir: string;
  readonly name: string;
  readonly killAt?: number;
};
const effects: string[] = [];
const gate = killNth(request.killAt ?? 0);
const host = withGate(linuxHost(), (effect) => {
  effects.push(effect.name);
  return gate(effect);
});
await using images = openImages({ host, rootDir: request.rootDir, environment: {} });
try {
  const { image } = await images.pull(request.name);
  writeSync(1, JSON.stringify({ blobIds: image.blobIds, effects }));
} catch (error) {
  writeSync(1, JSON.stringify({ error: toSilkError(error).toJSON(), effects }));
}
