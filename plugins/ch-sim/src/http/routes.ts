import * as schemas from "../config/schemas.ts";
import { errorChain, VmmError } from "../errors.ts";
import { JsonError } from "../json/json-error.ts";
import { option, parseJson, type Schema, string, u32, u64 } from "../json/schema.ts";
import { field, needed, struct } from "../json/struct.ts";
import { toJson } from "../json/to-json.ts";
import type { U64 } from "../json/content.ts";
import { settings } from "../settings.ts";
import { PENDING_REMOVAL } from "../vm/cpus.ts";
import type { Vmm } from "../vm/vmm.ts";
import type { HttpRequest } from "./parser.ts";
import type { HttpResponse } from "./response.ts";
import { absolutePath } from "./syntax.ts";

const ROOT = "/api/v1/";
const NO_CONTENT: HttpResponse = { status: 204, body: undefined };

interface ResizeRequest {
  desired_vcpus?: number;
  desired_ram?: U64;
  desired_balloon?: U64;
}

const resizeRequest = struct<ResizeRequest>("VmResizeData", [
  needed("desired_vcpus", option(u32)),
  needed("desired_ram", option(u64)),
  needed("desired_balloon", option(u64)),
]);
const resizeDiskRequest = struct<{ id: string; desired_size: U64 }>("VmResizeDiskData", [
  field("id", string),
  field("desired_size", u64),
]);
const resizeZoneRequest = struct<{ id: string; desired_ram: U64 }>("VmResizeZoneData", [
  field("id", string),
  field("desired_ram", u64),
]);
const removeRequest = struct<{ id: string }>("VmRemoveDeviceData", [field("id", string)]);
const snapshotRequest = struct<{ destination_url: string }>("VmSnapshotConfig", [
  field("destination_url", string),
]);

const sendMigration = struct<{ destination_url: string }>("VmSendMigrationData", [
  field("destination_url", string),
]);
const receiveMigration = struct<{ receiver_url: string }>("VmReceiveMigrationData", [
  field("receiver_url", string),
]);

/** One call of the API. */
interface Route {
  readonly method: "GET" | "PUT";
  /** What the failure of the call is called. */
  readonly failure: readonly [name: string, message: string];
  /** How other methods are answered: with the usual error, or with a 400 without a body. */
  readonly plainRefusal?: true;
  readonly run: (vmm: Vmm, body: Buffer | undefined) => Promise<HttpResponse>;
}

class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

type Action = (vmm: Vmm) => unknown;

/** A call without a body. */
function action(failure: Route["failure"], run: Action): Route {
  return {
    method: "PUT",
    failure,
    plainRefusal: true,
    run: async (vmm, body) => {
      if (body !== undefined) throw new HttpError(400, "Bad Request");
      await run(vmm);
      return NO_CONTENT;
    },
  };
}

/** A call with a JSON body; where it gives something back that is the answer. */
function request<T>(
  failure: Route["failure"],
  schema: Schema<T>,
  run: (vmm: Vmm, value: T) => unknown,
): Route {
  return {
    method: "PUT",
    failure,
    plainRefusal: true,
    run: async (vmm, body) => {
      if (body === undefined) throw new HttpError(400, "Bad Request");
      const result = await run(vmm, parseJson(schema, body));
      return result === undefined ? NO_CONTENT : { status: 200, body: toJson(result) };
    },
  };
}

const added = (what: string, name: string): Route["failure"] => [
  name,
  `The ${what} could not be added to the VM`,
];

const ROUTES: Readonly<Record<string, Route>> = {
  "vmm.ping": {
    method: "GET",
    failure: ["VmmPing", "The VMM could not be reached"],
    run: async () => ({
      status: 200,
      body: toJson({
        build_version: settings().buildVersion,
        version: settings().buildVersion.replace(/^v(\d+\.\d+).*$/, "$1.0"),
        pid: process.pid,
        features: ["io_uring", "kvm"],
      }),
    }),
  },
  "vm.info": {
    method: "GET",
    failure: ["VmInfo", "The VM info is not available"],
    run: async (vmm) => ({ status: 200, body: vmm.info() }),
  },
  "vm.counters": {
    method: "GET",
    failure: ["VmInfo", "The VM info is not available"],
    plainRefusal: true,
    run: async (vmm) => ({ status: 200, body: vmm.counters() }),
  },
  "vm.create": {
    method: "PUT",
    failure: ["VmCreate", "The VM could not be created"],
    run: async (vmm, body) => {
      if (body === undefined) return { status: 400, body: undefined };
      const config = parseJson(schemas.vmConfig, body);
      for (const net of config.net ?? []) delete net.fds;
      for (const device of config.devices ?? []) delete device.fd;
      await vmm.create(config);
      return NO_CONTENT;
    },
  },
  "vm.boot": action(["VmBoot", "The VM could not boot"], (vmm) => vmm.boot()),
  "vm.delete": action(["VmDelete", "The VM could not be deleted"], (vmm) => vmm.delete()),
  "vm.shutdown": action(["VmShutdown", "The VM could not shutdown"], (vmm) => vmm.shutdown()),
  "vm.reboot": action(["VmReboot", "The VM could not reboot"], (vmm) => vmm.reboot()),
  "vm.pause": action(["VmPause", "The VM could not be paused"], (vmm) => vmm.pause()),
  "vm.resume": action(["VmResume", "The VM could not resume"], (vmm) => vmm.resume()),
  "vm.power-button": action(["VmPowerButton", "Error triggering power button"], (vmm) =>
    vmm.powerButton(),
  ),
  "vm.nmi": action(["VmNmi", "Error triggering NMI"], (vmm) => vmm.nmi()),
  "vm.snapshot": request(
    ["VmSnapshot", "The VM could not be snapshotted"],
    snapshotRequest,
    (vmm, value) => vmm.snapshot(value.destination_url),
  ),
  "vm.restore": request(
    ["VmRestore", "The VM could not be restored"],
    schemas.restoreConfig,
    (vmm, value) => {
      // Descriptors would come beside the request, which no client of ours can do.
      if ((value.net_fds ?? []).some((net) => net.num_fds !== 0))
        throw new HttpError(400, "Bad Request");
      return vmm.restore(value);
    },
  ),
  "vm.resize": request(["VmResize", "The VM could not be resized"], resizeRequest, (vmm, value) => {
    try {
      vmm.resize(value.desired_vcpus, value.desired_ram, value.desired_balloon);
    } catch (error) {
      const pending = error instanceof VmmError && error.source?.name === PENDING_REMOVAL;
      throw pending ? new HttpError(429, "Too Many Requests") : error;
    }
  }),
  "vm.resize-disk": request(
    ["VmResizeDisk", "The disk could not be resized"],
    resizeDiskRequest,
    (vmm, value) => vmm.resizeDisk(value.id, value.desired_size),
  ),
  "vm.resize-zone": request(
    ["VmResizeZone", "The memory zone could not be resized"],
    resizeZoneRequest,
    (vmm, value) => vmm.resizeZone(value.id, value.desired_ram),
  ),
  "vm.remove-device": request(
    ["VmRemoveDevice", "The device could not be removed from the VM"],
    removeRequest,
    (vmm, value) => vmm.removeDevice(value.id),
  ),
  "vm.add-disk": request(added("disk", "VmAddDisk"), schemas.diskConfig, (vmm, value) =>
    vmm.add("disks", value),
  ),
  "vm.add-net": request(added("network device", "VmAddNet"), schemas.netConfig, (vmm, value) => {
    delete value.fds;
    return vmm.add("net", value);
  }),
  "vm.add-fs": request(added("fs", "VmAddFs"), schemas.fsConfig, (vmm, value) =>
    vmm.add("fs", value),
  ),
  "vm.add-generic-vhost-user": request(
    added("generic vhost-user device", "VmAddGenericVhostUser"),
    schemas.genericVhostUserConfig,
    (vmm, value) => vmm.add("generic_vhost_user", value),
  ),
  "vm.add-pmem": request(added("pmem device", "VmAddPmem"), schemas.pmemConfig, (vmm, value) =>
    vmm.add("pmem", value),
  ),
  "vm.add-vdpa": request(added("vDPA device", "VmAddVdpa"), schemas.vdpaConfig, (vmm, value) =>
    vmm.add("vdpa", value),
  ),
  "vm.add-vsock": request(added("vsock device", "VmAddVsock"), schemas.vsockConfig, (vmm, value) =>
    vmm.addVsock(value),
  ),
  "vm.add-device": request(added("device", "VmAddDevice"), schemas.deviceConfig, (vmm, value) => {
    delete value.fd;
    return vmm.add("devices", value);
  }),
  "vm.add-user-device": request(
    added("user device", "VmAddUserDevice"),
    schemas.userDeviceConfig,
    (vmm, value) => vmm.add("user_devices", value),
  ),
  "vm.send-migration": request(
    ["VmSendMigration", "Error dispatching the migration worker"],
    sendMigration,
    (vmm) => vmm.sendMigration(),
  ),
  "vm.receive-migration": request(
    ["VmReceiveMigration", "Error receiving migration"],
    receiveMigration,
    (vmm) => vmm.receiveMigration(),
  ),
};

/** The name of the call that a request is for; undefined for a path that is none. */
export function callName(call: HttpRequest): string | undefined {
  const path = absolutePath(call.uri);
  const name = path.startsWith(ROOT) ? path.slice(ROOT.length) : "";
  return name in ROUTES || name === "vmm.shutdown" ? name : undefined;
}

/** An error of the API itself. */
export function apiError(status: number, messages: readonly string[]): HttpResponse {
  return { status, body: toJson(messages) };
}

/** Answers one call. `vmm.shutdown` is not among those that come here. */
export async function answer(
  vmm: Vmm,
  name: string | undefined,
  call: HttpRequest,
): Promise<HttpResponse> {
  if (name === undefined) return apiError(404, ["Not Found"]);
  const route = ROUTES[name];
  if (route === undefined) return apiError(404, ["Not Found"]);
  if (call.method !== route.method) {
    return route.plainRefusal === true && call.method === "PATCH"
      ? { status: 400, body: undefined }
      : apiError(400, ["Bad Request"]);
  }
  try {
    return await route.run(vmm, call.body);
  } catch (error) {
    return refusal(route, error);
  }
}

function refusal(route: Route, error: unknown): HttpResponse {
  if (error instanceof JsonError)
    return apiError(400, ["Failed to deserialize JSON", error.describe()]);
  if (error instanceof HttpError) return apiError(error.status, [error.message]);
  if (!(error instanceof VmmError)) throw error;
  const missing = error.name === "VmNotCreated" || error.name === "VmMissingConfig";
  return apiError(missing ? 404 : 500, ["Error from API", route.failure[1], ...errorChain(error)]);
}

/** The error of a call as the command line reports it. */
export function callError(name: string, error: VmmError): VmmError {
  const [variant, message] = ROUTES[name]?.failure ?? ["Error", name];
  return new VmmError(variant, message, error);
}
