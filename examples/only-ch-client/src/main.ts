// node src/main.ts KERNEL: boots it, tells what the VMM says of it, and ends it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isChError } from "@silkvm/ch-client";
import { startMachine } from "./machine.ts";

const kernel = process.argv[2];
if (kernel === undefined) throw new Error("which kernel is to be booted?");

const directory = await mkdtemp(join(tmpdir(), "ch-"));
try {
  await using machine = await startMachine({
    command: ["cloud-hypervisor"],
    directory,
    vm: {
      cpus: { boot_vcpus: 1, max_vcpus: 1 },
      memory: { size: 256 * 1024 ** 2 },
      payload: { kernel, cmdline: "console=hvc0" },
      console: { mode: "Null" },
    },
    signal: AbortSignal.timeout(30_000),
  });
  const { state, memory_actual_size } = await machine.ch.vm.info();
  console.log(state, memory_actual_size, (await machine.ch.vmm.ping()).version);
} catch (error) {
  if (!isChError(error)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
