import { call, type ChCallOptions, type Connection } from "./call.ts";
import { ChConnectionError, ChInvalidRequestError } from "./errors.ts";
import {
  maxSocketPathBytes,
  type OperationName,
  type OperationRequest,
  type OperationResponse,
} from "./operations.ts";
import type * as actions from "./schema/actions.ts";
import type * as devices from "./schema/devices.ts";
import type { DiskConfig } from "./schema/disks.ts";
import type { PciDeviceInfo, VmCounters, VmInfo, VmmPingResponse } from "./schema/info.ts";
import type { NetConfig } from "./schema/net.ts";
import type { VmConfig } from "./schema/vm-config.ts";
import { SerialQueue } from "./serial-queue.ts";
import type { ChTransport } from "./transport.ts";
import { undiciTransport } from "./undici-transport.ts";

/** What {@link createChClient} is made of. */
export interface ChClientOptions {
  /** Path of the VMM's API socket, at most 107 bytes. It need not be there yet. */
  readonly socketPath: string;
  /** Default: {@link undiciTransport} on the socket. */
  readonly transport?: ChTransport | undefined;
  /** Deadlines that differ from the defaults in `operations`, in milliseconds; 0 for none. */
  readonly timeouts?: Readonly<Partial<Record<OperationName, number>>> | undefined;
  /** Default of every call's own `waitForSocketMs`. Default 0. */
  readonly waitForSocketMs?: number | undefined;
}

/**
 * How `vmm.shutdown` ended: with an answer, or with the connection closed because the VMM was faster. Neither says that the process
 * has ended: v53 may answer and then hang for ever. Wait for the process, and end it yourself when that takes too long.
 */
export type VmmShutdownOutcome = "answered" | "closed";

/** The `vmm.…` calls: of the VMM's process. */
export interface ChVmmCalls {
  /** Whether the API answers, which version it is, and its pid. */
  ping(options?: ChCallOptions): Promise<VmmPingResponse>;
  /** Asks the VMM to end. */
  shutdown(options?: ChCallOptions): Promise<VmmShutdownOutcome>;
}

/** The `vm.…` calls: of the one VM that a VMM has. Named and typed as the API names and types them. */
export interface ChVmCalls {
  /** Describes the VM. Nothing but the JSON types is checked before {@link boot}. */
  create(config: VmConfig, options?: ChCallOptions): Promise<void>;
  /** Forgets the VM, also one that runs. */
  delete(options?: ChCallOptions): Promise<void>;
  /** Starts the VM. When it fails the VM stays created. */
  boot(options?: ChCallOptions): Promise<void>;
  pause(options?: ChCallOptions): Promise<void>;
  resume(options?: ChCallOptions): Promise<void>;
  /** Switches the VM off; it stays created, and the VMM lives on. */
  shutdown(options?: ChCallOptions): Promise<void>;
  reboot(options?: ChCallOptions): Promise<void>;
  /** Presses the power button. What the guest makes of it shows later. */
  powerButton(options?: ChCallOptions): Promise<void>;
  nmi(options?: ChCallOptions): Promise<void>;
  info(options?: ChCallOptions): Promise<VmInfo>;
  counters(options?: ChCallOptions): Promise<VmCounters>;
  /** Changes vCPUs, memory or the balloon. The guest follows in its own time. */
  resize(resize: actions.VmResize, options?: ChCallOptions): Promise<void>;
  resizeDisk(resize: actions.VmResizeDisk, options?: ChCallOptions): Promise<void>;
  resizeZone(resize: actions.VmResizeZone, options?: ChCallOptions): Promise<void>;
  /** Like all `add…`: undefined where the VM does not run yet. */
  addDevice(
    device: devices.DeviceConfig,
    options?: ChCallOptions,
  ): Promise<PciDeviceInfo | undefined>;
  addUserDevice(
    device: actions.VmAddUserDevice,
    options?: ChCallOptions,
  ): Promise<PciDeviceInfo | undefined>;
  addDisk(disk: DiskConfig, options?: ChCallOptions): Promise<PciDeviceInfo | undefined>;
  /** Check that virtiofsd's socket is alive first: a dead one blocks the whole API for a minute. */
  addFs(fs: devices.FsConfig, options?: ChCallOptions): Promise<PciDeviceInfo | undefined>;
  addGenericVhostUser(
    device: devices.GenericVhostUserConfig,
    options?: ChCallOptions,
  ): Promise<PciDeviceInfo | undefined>;
  addPmem(pmem: devices.PmemConfig, options?: ChCallOptions): Promise<PciDeviceInfo | undefined>;
  addNet(net: NetConfig, options?: ChCallOptions): Promise<PciDeviceInfo | undefined>;
  addVsock(vsock: devices.VsockConfig, options?: ChCallOptions): Promise<PciDeviceInfo | undefined>;
  addVdpa(vdpa: devices.VdpaConfig, options?: ChCallOptions): Promise<PciDeviceInfo | undefined>;
  /** Asks the guest to let go of the device. It has when the id is gone from {@link VmInfo.device_tree}. */
  removeDevice(device: actions.VmRemoveDevice, options?: ChCallOptions): Promise<void>;
  /** Writes a snapshot of the paused VM. */
  snapshot(destination: actions.VmSnapshotConfig, options?: ChCallOptions): Promise<void>;
  /** Makes the VM from a snapshot, paused unless `resume`. When it fails the VMM is as before. */
  restore(source: actions.RestoreConfig, options?: ChCallOptions): Promise<void>;
  /** Only in VMMs built for debugging. */
  coredump(destination: actions.VmCoredumpData, options?: ChCallOptions): Promise<void>;
  receiveMigration(migration: actions.ReceiveMigrationData, options?: ChCallOptions): Promise<void>;
  sendMigration(migration: actions.SendMigrationData, options?: ChCallOptions): Promise<void>;
}

/**
 * A client of one VMM. Calls are made one at a time, in order, over one connection; more would only wait inside the VMM. All of them reject
 * with errors of this package ({@link ChError}), and take `signal`, `timeoutMs` and `waitForSocketMs`.
 */
export interface ChClient extends AsyncDisposable {
  readonly socketPath: string;
  readonly vmm: ChVmmCalls;
  readonly vm: ChVmCalls;
  /** Any call by its name in the API. */
  call<Name extends OperationName>(
    name: Name,
    body: OperationRequest<Name>,
    options?: ChCallOptions,
  ): Promise<OperationResponse<Name>>;
  /** Ends the connection; a call that is under way fails. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes a client. Nothing is connected before the first call.
 * @throws ChInvalidRequestError (`socket-path-too-long`).
 */
export function createChClient(options: ChClientOptions): ChClient {
  const { socketPath } = options;
  checkSocketPath(socketPath);
  let closed = false;
  const connection: Connection = {
    socketPath,
    transport: options.transport ?? undiciTransport(socketPath),
    queue: new SerialQueue(),
    isClosed: () => closed,
    timeouts: options.timeouts ?? {},
    waitForSocketMs: options.waitForSocketMs ?? 0,
  };
  const send = async <Name extends OperationName>(
    name: Name,
    body: OperationRequest<Name>,
    callOptions: ChCallOptions = {},
  ): Promise<OperationResponse<Name>> =>
    (await call(connection, name, body, callOptions)) as OperationResponse<Name>;
  const close = async (): Promise<void> => {
    closed = true;
    await connection.transport.close?.();
  };
  return {
    socketPath,
    vmm: {
      ping: (o) => send("vmm.ping", undefined, o),
      shutdown: (o) => shutdownVmm(() => send("vmm.shutdown", undefined, o)),
    },
    vm: vmCalls(send),
    call: send,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function vmCalls(send: ChClient["call"]): ChVmCalls {
  return {
    create: (body, o) => send("vm.create", body, o),
    delete: (o) => send("vm.delete", undefined, o),
    boot: (o) => send("vm.boot", undefined, o),
    pause: (o) => send("vm.pause", undefined, o),
    resume: (o) => send("vm.resume", undefined, o),
    shutdown: (o) => send("vm.shutdown", undefined, o),
    reboot: (o) => send("vm.reboot", undefined, o),
    powerButton: (o) => send("vm.power-button", undefined, o),
    nmi: (o) => send("vm.nmi", undefined, o),
    info: (o) => send("vm.info", undefined, o),
    counters: (o) => send("vm.counters", undefined, o),
    resize: (body, o) => send("vm.resize", body, o),
    resizeDisk: (body, o) => send("vm.resize-disk", body, o),
    resizeZone: (body, o) => send("vm.resize-zone", body, o),
    addDevice: (body, o) => send("vm.add-device", body, o),
    addUserDevice: (body, o) => send("vm.add-user-device", body, o),
    addDisk: (body, o) => send("vm.add-disk", body, o),
    addFs: (body, o) => send("vm.add-fs", body, o),
    addGenericVhostUser: (body, o) => send("vm.add-generic-vhost-user", body, o),
    addPmem: (body, o) => send("vm.add-pmem", body, o),
    addNet: (body, o) => send("vm.add-net", body, o),
    addVsock: (body, o) => send("vm.add-vsock", body, o),
    addVdpa: (body, o) => send("vm.add-vdpa", body, o),
    removeDevice: (body, o) => send("vm.remove-device", body, o),
    snapshot: (body, o) => send("vm.snapshot", body, o),
    restore: (body, o) => send("vm.restore", body, o),
    coredump: (body, o) => send("vm.coredump", body, o),
    receiveMigration: (body, o) => send("vm.receive-migration", body, o),
    sendMigration: (body, o) => send("vm.send-migration", body, o),
  };
}

async function shutdownVmm(send: () => Promise<void>): Promise<VmmShutdownOutcome> {
  try {
    await send();
    return "answered";
  } catch (error) {
    if (ChConnectionError.is(error) && error.reason === "closed") return "closed";
    throw error;
  }
}

function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= maxSocketPathBytes) return;
  const message = `The path of the API socket has ${bytes} bytes, and a Unix socket takes at most ${maxSocketPathBytes}: ${path}`;
  throw new ChInvalidRequestError(
    { method: "", operation: "" },
    { reason: "socket-path-too-long", message },
  );
}
