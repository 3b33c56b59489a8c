import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { chSimEnv, chSimPath } from "@silkvm/ch-sim";
import type { Hypervisor, SilkError, VmRecord } from "@silkvm/core";
import { hotDisk } from "@silkvm/storage";
import { linuxHost } from "@silkvm/sys";
import { vfio, type VfioData } from "@silkvm/vfio";
import { afterEach, describe, expect, it } from "vitest";
import { Bench, quiet, started } from "./bench-vm.ts";
import { makeScript, realVmm, type TestVmm } from "./vmms.ts";

const pciDevices = "/sys/bus/pci/devices";
const pci = existsSync(pciDevices) ? (readdirSync(pciDevices)[0] ?? "") : "";
const data: VfioData = { pci, group: 5, taken: [], bootId: "b" };

/** The simulator on a host with VFIO, whose first add-device fails with these words. */
const failing = (words: string): TestVmm => ({
  name: "ch-sim",
  isHere: pci !== "",
  program: (dir) => {
    const body = [
      "Error from API",
      "The device could not be added to the VM",
      "Error from device manager",
      "Cannot create a VFIO device",
      words,
    ];
    const env = chSimEnv({
      host: { vfio: true },
      faults: [
        { call: "vm.add-device", nth: 1, action: "fail", status: 500, body: JSON.stringify(body) },
      ],
    });
    const exports = Object.entries(env).map(
      ([name, value]) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'`,
    );
    const node = `'${process.execPath}' --conditions=@silkvm/source --disable-warning=ExperimentalWarning`;
    const lines = [...exports, `exec ${node} '${chSimPath}' "$@"`].join("\n");
    return makeScript(join(dir, "cloud-hypervisor"), lines);
  },
});

let bench: Bench | undefined;
afterEach(() => bench?.[Symbol.asyncDispose]());

async function running(vmm: TestVmm): Promise<[Hypervisor, VmRecord]> {
  bench = await Bench.make(vmm);
  const backend = await bench.backend();
  return [backend, await started(backend, await bench.vm({}))];
}

const add = (backend: Hypervisor, vm: VmRecord, id = "nic"): Promise<string> =>
  backend
    .capability(vfio)!
    .add(vm, { id, data }, quiet())
    .then(
      () => "added",
      (error: unknown) => (error as SilkError).code,
    );

describe.skipIf(pci === "")("a PCI device that the VMM refuses", () => {
  it("keeps the next one out until the VM was started again: it would not get the guest's memory", async () => {
    const words = "failed to open /dev/vfio/5 group: Device or resource busy (os error 16)";
    const [backend, vm] = await running(failing(words));
    expect(await add(backend, vm)).toBe("GROUP_IN_USE");
    expect(await add(backend, vm)).toBe("VM_RESTART_NEEDED");
  });

  it("is forgotten when another device has left the VM: the VMM begins anew", async () => {
    const words = "failed to add guest memory map into iommu table: Invalid argument (os error 22)";
    const [backend, vm] = await running(failing(words));
    expect(await add(backend, vm)).toBe("IOMMU_TOO_NARROW");
    const path = join(bench!.dir, "extra.raw");
    await linuxHost().files.createSparse(path, 2 ** 20, { mode: 0o600 });
    const disks = backend.capability(hotDisk)!;
    const disk = { path, name: "extra", readonly: false, directIo: false };
    await disks.add(vm, { id: "extra", data: disk }, quiet());
    await disks.remove(vm, "extra", { ...quiet(), graceMs: 5_000 });
    expect(await add(backend, vm)).toBe("added");
    expect(await add(backend, vm)).toBe("DEVICE_EXISTS");
    expect(await backend.capability(vfio)!.isPresent(vm, "nic", quiet())).toBe(true);
    await backend.capability(vfio)!.remove(vm, "nic", { ...quiet(), graceMs: 5_000 });
    expect(await backend.capability(vfio)!.isPresent(vm, "nic", quiet())).toBe(false);
  });

  it("before it has begun with the memory can be tried again", async () => {
    const words = "failed to open /dev/vfio/vfio container: No such file or directory (os error 2)";
    const [backend, vm] = await running(failing(words));
    expect(await add(backend, vm)).toBe("VFIO_UNAVAILABLE");
    expect(await add(backend, vm)).toBe("added");
  });
});

it.skipIf(!realVmm.isHere || pci === "" || existsSync("/dev/vfio/vfio"))(
  "the real VMM on a host without VFIO says so, and can be asked again",
  async () => {
    const [backend, vm] = await running(realVmm);
    for (let again = 0; again < 2; again++) expect(await add(backend, vm)).toBe("VFIO_UNAVAILABLE");
  },
);
