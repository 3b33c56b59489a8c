import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  statSync,
} from "node:fs";

import type * as types from "../config/types.ts";
import { fromNode, VmmError } from "../errors.ts";
import type { MemoryManager } from "../memory/memory-manager.ts";
import type { AddressAllocator } from "./address-allocator.ts";
import { deviceErrors } from "./device-error.ts";
import { type DeviceTree, deviceNode } from "./device-tree.ts";
import { Disk } from "./disk.ts";
import { listenOn } from "./sockets.ts";
import * as states from "./states.ts";
import { Tap } from "./tap.ts";
import { connectVhostUser } from "./vhost-user.ts";
import type { VirtioDevice } from "./virtio-device.ts";
import type { Permits } from "../vm/landlock.ts";

const TWO_MIB = 0x20_0000;
const NEVER = 2n ** 64n - 1n;

/** What the makers of devices need of the device manager. */
export interface DeviceContext {
  readonly config: types.VmConfig;
  readonly memory: MemoryManager;
  readonly tree: DeviceTree;
  readonly permitted: Permits;
  nextName(prefix: string): string;
  mmio64(segment: number): AddressAllocator;
  addDiskImage(disk: Disk): void;
}

const nothing = (): void => undefined;

/** A device that holds nothing open. */
export function plainDevice(
  context: DeviceContext,
  kind: string,
  id: string,
  config: types.PciCommon,
  state: () => unknown = states.plainState,
): VirtioDevice {
  const name = config.id ?? id;
  context.tree.set(name, deviceNode(name));
  return {
    id: name,
    kind,
    pci: { ...config, id: name },
    counters: undefined,
    state,
    close: nothing,
  };
}

const BLOCK_COUNTERS: Readonly<Record<string, bigint>> = {
  read_bytes: 0n,
  write_bytes: 0n,
  read_ops: 0n,
  write_ops: 0n,
  write_latency_min: NEVER,
  write_latency_max: NEVER,
  write_latency_avg: NEVER / 10_000n,
  read_latency_min: NEVER,
  read_latency_max: NEVER,
  read_latency_avg: NEVER / 10_000n,
};

export async function makeDisk(
  context: DeviceContext,
  config: types.DiskConfig,
  hotplug: boolean,
): Promise<VirtioDevice> {
  config.id ??= context.nextName("_disk");
  const { id } = config;
  if (config.vhost_user)
    return vhostUser(context, "block", "blk", id, config, config.vhost_socket ?? "");
  const disk = openDisk(context, config, id);
  if (hotplug) {
    try {
      disk.lock();
    } catch (error) {
      disk.close();
      throw error instanceof VmmError ? deviceErrors.lock(error) : error;
    }
  }
  context.addDiskImage(disk);
  context.tree.set(id, deviceNode(id));
  return {
    id,
    kind: "block",
    pci: config,
    image: disk,
    counters: BLOCK_COUNTERS,
    state: () => states.blockState(config, disk),
    close: () => disk.close(),
  };
}

function openDisk(context: DeviceContext, config: types.DiskConfig, id: string): Disk {
  try {
    return Disk.open(config, id, context.permitted);
  } catch (error) {
    throw error instanceof VmmError ? deviceErrors.disk(error) : error;
  }
}

export async function makeNet(
  context: DeviceContext,
  config: types.NetConfig,
): Promise<VirtioDevice> {
  config.id ??= context.nextName("_net");
  const { id } = config;
  if (config.vhost_user)
    return vhostUser(context, "net", "net", id, config, config.vhost_socket ?? "");
  const tap = config.fds === undefined || config.tap !== undefined ? Tap.open(config) : undefined;
  if (tap !== undefined) config.host_mac ??= tap.hostMac;
  context.tree.set(id, deviceNode(id));
  return {
    id,
    kind: "net",
    pci: config,
    counters: { rx_bytes: 0n, rx_frames: 0n, tx_bytes: 0n, tx_frames: 0n },
    state: () => states.netState(config),
    close: () => tap?.close(),
  };
}

async function vhostUser(
  context: DeviceContext,
  kind: string,
  error: "fs" | "blk" | "net" | "generic",
  id: string,
  config: types.PciCommon,
  socket: string,
  queues?: bigint,
): Promise<VirtioDevice> {
  try {
    const connection = await connectVhostUser(socket, queues);
    context.tree.set(id, deviceNode(id));
    return {
      id,
      kind,
      pci: config,
      counters: undefined,
      state: states.plainState,
      close: () => connection.destroy(),
    };
  } catch (failure) {
    throw failure instanceof VmmError ? deviceErrors.vhostUser(error, failure) : failure;
  }
}

export async function makeFs(
  context: DeviceContext,
  config: types.FsConfig,
): Promise<VirtioDevice> {
  config.id ??= context.nextName("_fs");
  // One more than those for requests: the one for what cannot wait.
  const queues = BigInt(config.num_queues) + 1n;
  return vhostUser(context, "fs", "fs", config.id, config, config.socket, queues);
}

export async function makeGenericVhostUser(
  context: DeviceContext,
  config: types.GenericVhostUserConfig,
): Promise<VirtioDevice> {
  config.id ??= context.nextName("_generic_vhost_user");
  return vhostUser(context, "generic", "generic", config.id, config, config.socket);
}

export async function makePmem(
  context: DeviceContext,
  config: types.PmemConfig,
): Promise<VirtioDevice> {
  config.id ??= context.nextName("_pmem");
  const { id } = config;
  const restored = context.tree.get(id);
  const before = restored?.resources.map((resource) =>
    "MmioAddressRange" in resource ? resource.MmioAddressRange : undefined,
  )[0];
  if (restored !== undefined && before === undefined) throw deviceErrors.pmemResources();
  const { fd, size } = openPmem(config);
  try {
    if (size % BigInt(TWO_MIB) !== 0n) throw deviceErrors.pmemAlignment();
    const bytes = before?.size ?? Number(size);
    const base = context.mmio64(config.pci_segment).allocate(before?.base, bytes, TWO_MIB);
    if (base === undefined) throw deviceErrors.pmemRange();
    context.tree.set(id, {
      ...deviceNode(id),
      resources: [{ MmioAddressRange: { base, size: bytes } }],
    });
    return {
      id,
      kind: "pmem",
      pci: config,
      counters: undefined,
      state: () => states.pmemState(base, bytes),
      close: () => closeSync(fd),
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function openPmem(config: types.PmemConfig): { readonly fd: number; readonly size: bigint } {
  const directory = existsSync(config.file) && statSync(config.file).isDirectory();
  if (directory && config.size === undefined) throw deviceErrors.pmemDirectory();
  const access = config.discard_writes ? constants.O_RDONLY : constants.O_RDWR;
  const O_TMPFILE = 0o20200000;
  let fd: number;
  try {
    fd = openSync(config.file, directory ? access | O_TMPFILE : access, 0o600);
  } catch (error) {
    throw deviceErrors.pmemOpen(fromNode(error));
  }
  if (directory) ftruncateSync(fd, Number(config.size));
  return { fd, size: BigInt(config.size ?? fstatSync(fd).size) };
}

export async function makeVsock(
  context: DeviceContext,
  config: types.VsockConfig,
): Promise<VirtioDevice> {
  config.id ??= context.nextName("_vsock");
  const { id } = config;
  try {
    const server = await listenOn(config.socket);
    context.tree.set(id, deviceNode(id));
    return {
      id,
      kind: "vsock",
      pci: config,
      counters: undefined,
      state: states.plainState,
      close: () => server.close(),
    };
  } catch (error) {
    throw deviceErrors.vsock(fromNode(error));
  }
}

export async function makeVdpa(
  context: DeviceContext,
  config: types.VdpaConfig,
): Promise<VirtioDevice> {
  config.id ??= context.nextName("_vdpa");
  const { id } = config;
  let fd: number;
  try {
    fd = openSync(config.path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    throw deviceErrors.vdpa(
      new VmmError(
        "CreateVhostVdpa",
        "Failed to create vhost-vdpa",
        new VmmError(
          "VhostOpen",
          `failure in opening vhost file: ${fromNode(error).message}`,
          undefined,
          `(${fromNode(error).name}${fromNode(error).detail ?? ""})`,
        ),
      ),
    );
  }
  context.tree.set(id, deviceNode(id));
  return {
    id,
    kind: "vdpa",
    pci: config,
    counters: undefined,
    state: states.plainState,
    close: () => closeSync(fd),
  };
}
