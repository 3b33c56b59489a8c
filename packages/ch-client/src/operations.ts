import type * as actions from "./schema/actions.ts";
import type * as devices from "./schema/devices.ts";
import type { DiskConfig } from "./schema/disks.ts";
import type { PciDeviceInfo, VmCounters, VmInfo, VmmPingResponse } from "./schema/info.ts";
import type { NetConfig } from "./schema/net.ts";
import type { VmConfig } from "./schema/vm-config.ts";

/** One call of the API. */
export interface Operation {
  readonly method: "GET" | "PUT";
  /** Schema of the request's body in the VMM's OpenAPI file; a call without it has no body. */
  readonly request?: string;
  /** Schema of the answer's body; a call without it answers with none. */
  readonly response?: string;
  /** Default deadline of a call; 0 for none. It counts from the call, time in the queue included. */
  readonly timeoutMs: number;
}

/**
 * Every call of v53's API, by its name: the path is `/api/v1/` and the name. The defaults of the deadlines follow from what the VMM
 * does: it answers one request at a time, opens devices while it handles the call, waits up to a minute for a
 * vhost-user socket that does not answer, and reads or writes all of the guest's memory in a snapshot, a restore, a migration.
 */
export const operations = {
  "vmm.ping": { method: "GET", response: "VmmPingResponse", timeoutMs: 5_000 },
  "vmm.shutdown": { method: "PUT", timeoutMs: 30_000 },
  "vm.info": { method: "GET", response: "VmInfo", timeoutMs: 5_000 },
  "vm.counters": { method: "GET", response: "VmCounters", timeoutMs: 5_000 },
  "vm.create": { method: "PUT", request: "VmConfig", timeoutMs: 30_000 },
  "vm.delete": { method: "PUT", timeoutMs: 60_000 },
  "vm.boot": { method: "PUT", timeoutMs: 60_000 },
  "vm.pause": { method: "PUT", timeoutMs: 30_000 },
  "vm.resume": { method: "PUT", timeoutMs: 30_000 },
  "vm.shutdown": { method: "PUT", timeoutMs: 60_000 },
  "vm.reboot": { method: "PUT", timeoutMs: 60_000 },
  "vm.power-button": { method: "PUT", timeoutMs: 10_000 },
  "vm.nmi": { method: "PUT", timeoutMs: 10_000 },
  "vm.resize": { method: "PUT", request: "VmResize", timeoutMs: 30_000 },
  "vm.resize-disk": { method: "PUT", request: "VmResizeDisk", timeoutMs: 30_000 },
  "vm.resize-zone": { method: "PUT", request: "VmResizeZone", timeoutMs: 30_000 },
  "vm.add-device": {
    method: "PUT",
    request: "DeviceConfig",
    response: "PciDeviceInfo",
    timeoutMs: 60_000,
  },
  "vm.add-user-device": {
    method: "PUT",
    request: "VmAddUserDevice",
    response: "PciDeviceInfo",
    timeoutMs: 90_000,
  },
  "vm.add-disk": {
    method: "PUT",
    request: "DiskConfig",
    response: "PciDeviceInfo",
    timeoutMs: 90_000,
  },
  "vm.add-fs": { method: "PUT", request: "FsConfig", response: "PciDeviceInfo", timeoutMs: 90_000 },
  "vm.add-generic-vhost-user": {
    method: "PUT",
    request: "GenericVhostUserConfig",
    response: "PciDeviceInfo",
    timeoutMs: 90_000,
  },
  "vm.add-pmem": {
    method: "PUT",
    request: "PmemConfig",
    response: "PciDeviceInfo",
    timeoutMs: 60_000,
  },
  "vm.add-net": {
    method: "PUT",
    request: "NetConfig",
    response: "PciDeviceInfo",
    timeoutMs: 90_000,
  },
  "vm.add-vsock": {
    method: "PUT",
    request: "VsockConfig",
    response: "PciDeviceInfo",
    timeoutMs: 60_000,
  },
  "vm.add-vdpa": {
    method: "PUT",
    request: "VdpaConfig",
    response: "PciDeviceInfo",
    timeoutMs: 60_000,
  },
  "vm.remove-device": { method: "PUT", request: "VmRemoveDevice", timeoutMs: 30_000 },
  "vm.snapshot": { method: "PUT", request: "VmSnapshotConfig", timeoutMs: 0 },
  "vm.restore": { method: "PUT", request: "RestoreConfig", timeoutMs: 0 },
  "vm.coredump": { method: "PUT", request: "VmCoredumpData", timeoutMs: 0 },
  "vm.receive-migration": { method: "PUT", request: "ReceiveMigrationData", timeoutMs: 0 },
  "vm.send-migration": { method: "PUT", request: "SendMigrationData", timeoutMs: 0 },
} as const satisfies Readonly<Record<string, Operation>>;

/** The API's own name of a call. */
export type OperationName = keyof typeof operations;

/** Types of the schemas that {@link operations} names. */
export interface OperationSchemas {
  readonly VmConfig: VmConfig;
  readonly VmResize: actions.VmResize;
  readonly VmResizeDisk: actions.VmResizeDisk;
  readonly VmResizeZone: actions.VmResizeZone;
  readonly DeviceConfig: devices.DeviceConfig;
  readonly VmAddUserDevice: actions.VmAddUserDevice;
  readonly DiskConfig: DiskConfig;
  readonly FsConfig: devices.FsConfig;
  readonly GenericVhostUserConfig: devices.GenericVhostUserConfig;
  readonly PmemConfig: devices.PmemConfig;
  readonly NetConfig: NetConfig;
  readonly VsockConfig: devices.VsockConfig;
  readonly VdpaConfig: devices.VdpaConfig;
  readonly VmRemoveDevice: actions.VmRemoveDevice;
  readonly VmSnapshotConfig: actions.VmSnapshotConfig;
  readonly RestoreConfig: actions.RestoreConfig;
  readonly VmCoredumpData: actions.VmCoredumpData;
  readonly ReceiveMigrationData: actions.ReceiveMigrationData;
  readonly SendMigrationData: actions.SendMigrationData;
  readonly VmmPingResponse: VmmPingResponse;
  readonly VmInfo: VmInfo;
  readonly VmCounters: VmCounters;
  readonly PciDeviceInfo: PciDeviceInfo;
}

type Named<Name> = Name extends keyof OperationSchemas ? OperationSchemas[Name] : never;

/** Body of a call; undefined for calls that have none. */
export type OperationRequest<Name extends OperationName> = (typeof operations)[Name] extends {
  readonly request: infer Schema;
}
  ? Named<Schema>
  : undefined;

/**
 * Answer of a call; undefined for calls that answer with none. The `vm.add-…` calls answer with the device where the VM
 * runs, and with nothing (undefined) where it is only created.
 */
export type OperationResponse<Name extends OperationName> = (typeof operations)[Name] extends {
  readonly response: infer Schema;
}
  ? (typeof operations)[Name] extends { readonly method: "GET" }
    ? Named<Schema>
    : Named<Schema> | undefined
  : undefined;

/** Where the API's paths begin. */
export const apiRoot = "/api/v1/";

/** The longest body that the VMM takes, in bytes. */
export const maxBodyBytes = 51_200;

/** The longest path of a Unix socket, in bytes. */
export const maxSocketPathBytes = 107;
