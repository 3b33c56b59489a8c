import type { Boot } from "@silkvm/core";
import {
  isObject,
  type JsonObject,
  objectAt,
  objectsAt,
  type SnapshotDocuments,
  withKey,
  withoutKey,
} from "./snapshot-documents.ts";
import { configName } from "./snapshot-names.ts";
import { readPart, withPart } from "./state-parts.ts";

/** What of a snapshot is another one for the VM that is made of it: everything by which the VMM reaches out into the host. */
export interface Placement {
  /** Paths of the disks, in the snapshot's order. */
  readonly diskPaths: readonly string[];
  /** TAPs of the NICs, in the snapshot's order. */
  readonly taps: readonly string[];
  readonly boot: Boot;
  /** Of the kernel, where one is booted: for when the guest boots again. */
  readonly cmdline: string | undefined;
  readonly consoleSocketPath: string;
}

/**
 * Rewrites a checked snapshot for a VM with places of its own. Of the host's files and devices in config.json none is left that the snapshot named.
 * @throws SilkError `SNAPSHOT_DAMAGED`
 */
export function place(documents: SnapshotDocuments, placement: Placement): SnapshotDocuments {
  return {
    config: placeConfig(documents.config, placement),
    state: placeState(documents, placement),
  };
}

function placeConfig(config: JsonObject, placement: Placement): JsonObject {
  const { boot, cmdline, diskPaths, taps, consoleSocketPath } = placement;
  const disks = objectsAt(config, "disks", configName).map((disk, index) =>
    withKey(disk, "path", diskPaths[index]),
  );
  const net = objectsAt(config, "net", configName).map((nic, index) =>
    // The VMM would give the TAP on the host the address of the one that the snapshot had.
    withoutKey(withKey(nic, "tap", taps[index]), "host_mac"),
  );
  return {
    ...config,
    payload: placePayload(objectAt(config, "payload", configName), boot, cmdline),
    ...(disks.length > 0 ? { disks } : {}),
    ...(net.length > 0 ? { net } : {}),
    ...(boot.kind === "firmware"
      ? { serial: { ...objectAt(config, "serial", configName), socket: consoleSocketPath } }
      : {}),
    ...(isObject(config["console"]) ? { console: withoutKey(config["console"], "file") } : {}),
  };
}

function placePayload(payload: JsonObject, boot: Boot, cmdline: string | undefined): JsonObject {
  const { kernel: _k, firmware: _f, initramfs: _i, cmdline: _c, ...rest } = payload;
  if (boot.kind === "firmware") return { ...rest, firmware: boot.firmwarePath };
  return {
    ...rest,
    kernel: boot.kernelPath,
    ...(cmdline === undefined || cmdline === "" ? {} : { cmdline }),
    ...(boot.initrdPath === undefined ? {} : { initramfs: boot.initrdPath }),
  };
}

/** The VMM opens a disk by its config; what its state calls it is for people, who are to find the right one. */
function placeState({ config, state }: SnapshotDocuments, { diskPaths }: Placement): JsonObject {
  let placed = state;
  for (const [index, disk] of objectsAt(config, "disks", configName).entries()) {
    const part = ["device-manager", String(disk["id"])];
    const device = readPart(state, part);
    if (device === undefined || typeof device["disk_path"] !== "string") continue;
    placed = withPart(placed, part, withKey(device, "disk_path", diskPaths[index]));
  }
  return placed;
}
