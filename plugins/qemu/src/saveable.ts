import type { Disk, SnapshotDisk, VmRecord } from "@silkvm/core";
import { cannotSave, savedDisks } from "@silkvm/storage";
import { deviceProperty, kindOf, listDevices, portOf, type VmmDevice } from "./devices.ts";
import { leavingDevices } from "./leaving.ts";
import { uefiVars } from "./uefi-vars.ts";
import type { Machine } from "./machine.ts";
import type { MachineDocument } from "./machine-document.ts";
import { nodeOf } from "./disks.ts";
import { netdevOf } from "./nic-args.ts";
import { objectOf } from "./qmp/messages.ts";
import type { QmpCaller } from "./qmp/client.ts";

/** Kinds of devices that keep a part of their state outside of QEMU, where no snapshot gets at it. */
const outside: ReadonlyMap<string, string> = new Map([
  ["vfio", "a PCI device of the host (VFIO)"],
  ["fs", "a shared directory (virtiofs)"],
]);

/** What of a VM goes into a snapshot. */
export interface Saveable {
  readonly disks: readonly SnapshotDisk[];
  readonly document: Omit<MachineDocument, "memory">;
  /** The file of the variables of its UEFI, where its VMM has one. */
  readonly varsPath: string | undefined;
}

/**
 * What of a VM goes into a snapshot, if it can be saved at all.
 * @throws SilkError `SNAPSHOT_UNSUPPORTED` that names what stands in the way
 */
export async function saveable(
  machine: Machine,
  vm: VmRecord,
  monitor: QmpCaller,
): Promise<Saveable> {
  const devices = await listDevices(monitor);
  for (const device of devices) {
    const what = outside.get(kindOf(device));
    if (what !== undefined)
      throw cannotSave(vm, `it has ${what} "${device.id}", which cannot be saved`, {
        hint: "Detach the device first.",
      });
  }
  const present = new Set(devices.map(({ id }) => id));
  for (const id of await leavingDevices(machine, vm)) if (present.has(id)) throw leaving(vm, id);
  const paths = await nodePaths(monitor);
  const attached = await attachedDisks(vm, monitor, devices, paths);
  const nics = await placedNics(vm, monitor, devices);
  const vars = await uefiVars(machine, vm);
  return {
    disks: await savedDisks(
      machine.host,
      vm,
      attached.map(({ disk }) => disk),
    ),
    document: {
      format: "silk-qemu",
      version: 1,
      machine: await machineOf(monitor, vm),
      accel: await accelOf(monitor),
      disks: attached.map(({ id, site }) => ({ id, site })),
      nics,
    },
    varsPath: [...paths.values()].find((path) => path === vars?.path),
  };
}

type DiskOf = { readonly disk: Disk } & MachineDocument["disks"][number];

/** Those of the VM's disks that QEMU has, where it has them: in the guest's order. */
async function attachedDisks(
  vm: VmRecord,
  monitor: QmpCaller,
  devices: readonly VmmDevice[],
  paths: ReadonlyMap<string, string>,
): Promise<readonly DiskOf[]> {
  const found = devices.filter((device) => kindOf(device) === "disk");
  const onRoot = found.filter(({ id }) => /^disk\d+$/.test(id));
  const ordered = [...onRoot].sort((one, other) => numberOf(one.id) - numberOf(other.id));
  const stranger = found.find(({ id }) => !/^disk\d+$/.test(id));
  if (stranger !== undefined)
    throw cannotSave(
      vm,
      `the disk ${paths.get(`${nodeOf(stranger.id)}-file`) ?? stranger.id} was added while it runs`,
      {
        hint: "Detach it first.",
      },
    );
  const inPorts = new Map<string, number>();
  for (const { id } of ordered) {
    const port = portOf(await deviceProperty(monitor, id, "parent_bus"));
    if (port !== undefined) inPorts.set(id, port);
  }
  const rootCount = ordered.length - inPorts.size;
  return ordered.map(({ id }, index) => {
    const path = paths.get(`${nodeOf(id)}-file`);
    const disk = vm.disks.find((one) => one.path === path);
    if (disk === undefined)
      throw cannotSave(vm, `it has a disk ${path ?? id} that silk does not know of`);
    const port = inPorts.get(id);
    return { id, disk, site: port === undefined ? { index, of: rootCount } : { port } };
  });
}

async function placedNics(
  vm: VmRecord,
  monitor: QmpCaller,
  devices: readonly VmmDevice[],
): Promise<MachineDocument["nics"]> {
  const nics = devices.filter((device) => kindOf(device) === "nic");
  if (nics.length !== vm.nics.length)
    throw cannotSave(vm, `it has ${nics.length} NICs, and silk knows of ${vm.nics.length}`);
  const byNetdev = new Map<unknown, VmmDevice>();
  for (const nic of nics) byNetdev.set(await deviceProperty(monitor, nic.id, "netdev"), nic);
  const placed: MachineDocument["nics"] = [];
  for (const { tap, queues } of vm.nics) {
    const device = byNetdev.get(netdevOf(tap));
    const port =
      device === undefined
        ? undefined
        : portOf(await deviceProperty(monitor, device.id, "parent_bus"));
    if (device === undefined || port === undefined)
      throw cannotSave(vm, `its VMM has lost the NIC ${tap}`);
    placed.push({ id: device.id, port, queues });
  }
  return placed;
}

/** Which file each node of QEMU's reads from. */
async function nodePaths(monitor: QmpCaller): Promise<ReadonlyMap<string, string>> {
  const nodes = await monitor.execute("query-named-block-nodes", { flat: true });
  const paths = new Map<string, string>();
  if (Array.isArray(nodes))
    for (const node of nodes) {
      const { "node-name": name, file } = objectOf(node) ?? {};
      if (typeof name === "string" && typeof file === "string") paths.set(name, file);
    }
  return paths;
}

/** The full name of the machine's type: `q35` means another one for each version of QEMU. */
async function machineOf(monitor: QmpCaller, vm: VmRecord): Promise<string> {
  const type = await monitor.execute("qom-get", { path: "/machine", property: "type" });
  const name = String(type).replace(/-machine$/, "");
  if (!/-\d+\.\d+$/.test(name))
    throw cannotSave(vm, `QEMU does not promise that its machine ${name} stays what it is`, {
      hint: "Start the VM anew as a q35: silk config set qemuMachine q35",
    });
  return name;
}

async function accelOf(monitor: QmpCaller): Promise<"kvm" | "tcg"> {
  const answer = objectOf(await monitor.execute("query-kvm"));
  return answer?.["enabled"] === true ? "kvm" : "tcg";
}

function leaving(vm: VmRecord, id: string): Error {
  return cannotSave(vm, `its guest has not let go of the device ${id} yet`, {
    hint: vm.leavingNics?.some(({ deviceId }) => deviceId === id)
      ? `Wait for that: silk vm net set ${vm.name} --nics ${vm.nics.length}`
      : "Detach it again, to wait for that.",
  });
}

function numberOf(id: string): number {
  return Number(id.replace(/^\D+/, ""));
}
