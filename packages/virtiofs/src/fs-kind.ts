import {
  type DeviceContext,
  type DeviceKind,
  type DeviceKindDefinition,
  type Engine,
  type PlannedDevice,
  SilkError,
  type VmRecord,
} from "@silkvm/core";
import { checkDirectory, checkReadable } from "./check-directory.ts";
import { checkMemory } from "./check-memory.ts";
import { checkRequest } from "./check-request.ts";
import { checkSocket } from "./check-socket.ts";
import {
  type FsData,
  fsDeviceId,
  type FsDirectoryRequest,
  type FsRequest,
  type ServedFsData,
  virtiofs,
} from "./fs-device.ts";
import { serverCommand } from "./server-command.ts";
import { serverSocket } from "./server-files.ts";
import { endServer } from "./server-processes.ts";
import { startServer } from "./start-server.ts";

/** Shared directories. Their side on the host is a virtiofsd: silk's own, or the user's, which silk only looks at. */
export const virtiofsKind: DeviceKind<FsRequest, FsData> = {
  name: "virtiofs",
  noun: "the shared directory",
  capability: virtiofs,
  nameOf: ({ tag }) => tag,
  detachCommand: ({ name }, { tag }) => `silk vm fs detach ${name} --tag ${tag}`,
  plan,
  prepare,
  release: async (_vm, { data: { dir, socket } }, { host }) => {
    if (dir !== undefined) await endServer(host, socket);
  },
};

async function plan(
  vm: VmRecord,
  request: FsRequest,
  context: DeviceContext,
): Promise<PlannedDevice<FsData>> {
  checkRequest(request);
  const { tag } = request;
  const id = fsDeviceId(tag);
  checkMemory(vm);
  refuseTaken(vm, tag, id);
  if (request.dir === undefined) {
    const { socket, numQueues = 1, queueSize = 1024 } = request;
    const { isVisible } = await checkSocket(socket, { vm, id, context });
    return { id, data: { tag, socket, numQueues, queueSize, isVisible } };
  }
  const socket = serverSocket(context.paths, tag);
  const dir = await checkDirectory(request.dir, context);
  const data = served({ ...request, dir }, socket);
  await serverCommand(data, { ...context, warn: () => {} });
  return { id, data };
}

/**
 * Checks what can be checked of a directory before there is a VM to share it with: that it is there, and that the virtiofsd of this host can serve it as is
 * wanted. Makes nothing.
 * @throws SilkError `INVALID_TAG`, `INVALID_SHARE`, `DIRECTORY_NOT_FOUND`, `INVALID_DIRECTORY`, `PERMISSION_DENIED`, `VIRTIOFSD_NOT_FOUND`,
 *   `VIRTIOFSD_UNKNOWN`, `VIRTIOFSD_UNSUPPORTED`
 */
export async function fsCheck(
  { host, config }: Pick<Engine, "host" | "config">,
  request: FsDirectoryRequest,
): Promise<void> {
  checkRequest(request);
  const dir = await checkReadable(request.dir, host);
  await serverCommand(served({ ...request, dir }, ""), { host, config, warn: () => {} });
}

function served(request: FsDirectoryRequest, socket: string): ServedFsData {
  const { tag, dir, readonly = false, cache = "auto", sandbox } = request;
  const { numQueues = 1, queueSize = 1024 } = request;
  const chosen = sandbox === undefined ? {} : { sandbox };
  return { tag, dir, readonly, cache, ...chosen, socket, numQueues, queueSize };
}

/** Checked once more: a share that is kept is attached again long after it was planned. */
async function prepare(
  vm: VmRecord,
  { id, data }: PlannedDevice<FsData>,
  context: DeviceContext,
): Promise<void> {
  checkMemory(vm);
  if (data.dir === undefined) await checkSocket(data.socket, { vm, id, context });
  else {
    await checkDirectory(data.dir, context);
    await startServer(vm, data, context);
  }
}

/** The engine would tell it, too, but after the socket, which this VM itself has taken. */
function refuseTaken(vm: VmRecord, tag: string, id: string): void {
  const other = vm.attachments?.find((attachment) => attachment.id === id);
  if (other === undefined || (other.state !== "attached" && other.state !== "attaching")) return;
  throw new SilkError(`the VM ${vm.name} has the shared directory ${tag} already`, {
    code: "DEVICE_EXISTS",
    kind: "conflict",
    hint: `Choose another tag, or detach it first: silk vm fs detach ${vm.name} --tag ${tag}`,
    details: { id: vm.id, name: vm.name, deviceId: id },
  });
}

/** The kind for a plugin to bring, together with others that bring it too. */
export const virtiofsDevices: DeviceKindDefinition = {
  name: "virtiofs",
  load: async () => virtiofsKind,
};
