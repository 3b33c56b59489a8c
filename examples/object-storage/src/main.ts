// node src/main.ts save SNAPSHOT KEY, node src/main.ts load KEY NAME
import cloudHypervisorPlugin from "@silkvm/cloud-hypervisor";
import { createEngine, loadConfig } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import type { Bucket } from "./bucket.ts";
import { loadFrom, saveTo } from "./snapshots.ts";

const bucket: Bucket = {
  endpoint: setting("S3_ENDPOINT"),
  name: setting("S3_BUCKET"),
  region: process.env["AWS_REGION"] ?? "us-east-1",
  accessKeyId: setting("AWS_ACCESS_KEY_ID"),
  secretAccessKey: setting("AWS_SECRET_ACCESS_KEY"),
};
const [verb, from, to] = process.argv.slice(2);
if (from === undefined || to === undefined)
  throw new Error("give `save SNAPSHOT KEY`, or `load KEY NAME`");

const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort());
const { signal } = interrupt;

const host = linuxHost();
// The settings that the CLI goes by, its file and the SILK_* variables: both see the same VMs.
const sources = { env: process.env, uid: host.facts.uid, cwd: process.cwd() };
const { config } = await loadConfig(host.files, sources);
await using engine = await createEngine({ host, plugins: [cloudHypervisorPlugin], config });
if (verb === "save") await saveTo({ bucket, key: to }, engine, from, { signal });
else console.log((await loadFrom({ bucket, key: from }, engine, to, { signal })).id);

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}
