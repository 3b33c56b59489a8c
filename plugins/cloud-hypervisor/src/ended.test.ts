import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { silentLogger } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { afterAll, beforeAll, expect, it } from "vitest";
import { pathsIn, vmRecord } from "../test/records.ts";
import { endedInOrder } from "./ended.ts";
import type { Machine } from "./machine.ts";
import { eventsPath } from "./vmm-processes.ts";

let dir: string;
let machine: Machine;
const vm = vmRecord();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "silk-ended-"));
  machine = {
    host: linuxHost(),
    logger: silentLogger,
    settings: {
      chBinary: "cloud-hypervisor",
      startTimeoutMs: 1_000,
      chFirmware: "",
      rootDir: undefined,
    },
    paths: pathsIn(dir),
    findVmm: async () => [],
  };
  await mkdir(machine.paths(vm).runDir, { recursive: true });
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** An event as the VMM writes it: pretty-printed, with an empty line behind it. */
function event(name: string): string {
  const [source, what] = name.split(".");
  const timestamp = { secs: 0, nanos: 1 };
  return `${JSON.stringify({ timestamp, source, event: what, properties: null }, undefined, 2)}\n\n`;
}

const boot = ["vmm.starting", "vm.booting", "vm.booted"];

it.each([
  ["the guest switched itself off", [...boot, "vm.shutdown", "vm.deleted", "vmm.shutdown"], true],
  ["it was killed just after the guest was switched off", [...boot, "vm.shutdown"], true],
  ["it was killed", boot, false],
  ["it was killed after a reboot", [...boot, "vm.shutdown", "vm.rebooting", "vm.rebooted"], false],
  ["it was killed while it booted again", [...boot, "vm.shutdown", "vm.booting"], false],
  ["the guest never ran", ["vmm.starting", "vm.booting", "vm.deleted", "vmm.shutdown"], false],
  ["a restored guest shut down", ["vmm.starting", "vm.restored", "vm.shutdown"], true],
  ["a restored guest was killed", ["vmm.starting", "vm.restored", "vm.resumed"], false],
])("a VMM's events tell that %s", async (_what, names, ended) => {
  await writeFile(eventsPath(machine.paths(vm)), names.map(event).join(""));
  expect(await endedInOrder(machine, vm)).toBe(ended);
});

it("a VMM that wrote half an event was killed", async () => {
  const text = boot.map(event).join("") + event("vm.shutdown").slice(0, -20);
  await writeFile(eventsPath(machine.paths(vm)), text);
  expect(await endedInOrder(machine, vm)).toBe(false);
});

it("a VM without events has not ended in order: the host was started again", async () => {
  await rm(dirname(eventsPath(machine.paths(vm))), { recursive: true });
  expect(await endedInOrder(machine, vm)).toBe(false);
});
