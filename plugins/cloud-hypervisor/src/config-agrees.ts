import type { SnapshotManifest } from "@silkvm/core";
import { damagedSnapshot, isNamedQcow2 } from "@silkvm/storage";
import { isObject, type JsonObject, objectAt, objectsAt } from "./snapshot-documents.ts";
import { configName } from "./snapshot-names.ts";

/**
 * Checks that config.json is of the VM that the manifest tells of.
 * @param moved paths of config.json, and those of the manifest for the same files
 * @throws SilkError `SNAPSHOT_DAMAGED`
 */
export function checkAgrees(
  config: JsonObject,
  { vm }: SnapshotManifest,
  moved: ReadonlyMap<string, string> = new Map(),
): void {
  const differs = (what: string): Error =>
    damagedSnapshot(configName, `does not agree with the manifest: ${what}`);
  checkDisks(config, vm, moved, differs);
  const nics = objectsAt(config, "net", configName);
  if (nics.length !== vm.nics.length)
    throw differs(`it has ${nics.length} NICs instead of ${vm.nics.length}`);
  const memory = objectAt(config, "memory", configName);
  if (memory["zones"] !== undefined && memory["zones"] !== null)
    throw differs("its memory is in zones");
  if (memory["size"] !== vm.config.memoryBytes)
    throw differs(`it has ${String(memory["size"])} bytes of memory, not ${vm.config.memoryBytes}`);
  const { balloon } = config;
  if (isObject(balloon) && !(Number(balloon["size"]) <= vm.config.memoryBytes))
    throw differs("its balloon is larger than its memory");
  const cpus = objectAt(config, "cpus", configName)["boot_vcpus"];
  if (cpus !== vm.config.cpus)
    throw differs(`it has ${String(cpus)} vCPUs instead of ${vm.config.cpus}`);
  const payload = objectAt(config, "payload", configName);
  const isSet = (key: string): boolean => payload[key] !== undefined && payload[key] !== null;
  const direct = vm.boot.kind === "direct";
  if (isSet("kernel") !== direct || isSet("firmware") === direct)
    throw differs(`it does not boot by ${direct ? "a kernel" : "firmware"}`);
  // By these the guest's console is found: a VM that boots directly has a PTY, one with firmware a serial socket.
  if (modeOf(config, "console") !== (direct ? "Pty" : "Off")) throw differs("its console");
  if (modeOf(config, "serial") !== (direct ? "Off" : "Socket")) throw differs("its serial line");
}

function checkDisks(
  config: JsonObject,
  { disks }: SnapshotManifest["vm"],
  moved: ReadonlyMap<string, string>,
  differs: (what: string) => Error,
): void {
  const found = objectsAt(config, "disks", configName);
  if (found.length !== disks.length)
    throw differs(`it has ${found.length} disks instead of ${disks.length}`);
  for (const [index, disk] of disks.entries()) {
    const { path, readonly, serial, image_type: type } = found[index] as JsonObject;
    const which = `disk ${index + 1}`;
    if ((moved.get(String(path)) ?? path) !== disk.path) throw differs(`${which} is another one`);
    if ((readonly ?? false) !== disk.readonly)
      throw differs(`${which} is ${readonly === true ? "" : "not "}read-only`);
    if ((serial ?? "") !== (disk.serial ?? "")) throw differs(`the serial of ${which}`);
    if ((type === "Qcow2") !== isNamedQcow2(disk.file ?? disk.path))
      throw differs(`the format of ${which}`);
  }
}

function modeOf(config: JsonObject, key: string): unknown {
  const value = config[key];
  return isObject(value) ? value["mode"] : "Off";
}
