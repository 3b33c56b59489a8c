// KERNEL=vmlinux node src/main.ts, then: curl --data 'uname -a' http://127.0.0.1:8080/
import { once } from "node:events";
import cloudHypervisorPlugin from "@silkvm/cloud-hypervisor";
import { createEngine, loadConfig } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { startService } from "./service.ts";
import { warmSnapshot } from "./warm-snapshot.ts";

const { KERNEL, INITRD, CMDLINE = "console=hvc0", PORT = "8080" } = process.env;
if (KERNEL === undefined) throw new Error("KERNEL names the kernel that the guest boots");

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());

const host = linuxHost();
// The settings that the CLI goes by, its file and the SILK_* variables: both see the same VMs.
const sources = { env: process.env, uid: host.facts.uid, cwd: process.cwd() };
const { config } = await loadConfig(host.files, sources);
await using engine = await createEngine({ host, plugins: [cloudHypervisorPlugin], config });
await warmSnapshot(
  engine,
  "http-service",
  { boot: { kernel: KERNEL, initrd: INITRD, cmdline: CMDLINE }, memoryBytes: 512 * 1024 ** 2 },
  stop.signal,
);
await using service = await startService({
  engine,
  snapshot: "http-service",
  port: Number(PORT),
  atOnce: 16,
  mostWaiting: 64,
  requestTimeoutMs: 30_000,
  graceMs: 10_000,
});
console.log(`listening at ${service.url}`);
// At the end of the module the service is disposed of, then the engine: in the reverse order in which they were made.
if (!stop.signal.aborted) await once(stop.signal, "abort");
