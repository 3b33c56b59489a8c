import { randomBytes } from "node:crypto";
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import type { NetConfig } from "../config/types.ts";
import { osError, VmmError } from "../errors.ts";
import { loadedSys } from "../host/native.ts";
import { settings } from "../settings.ts";

const MAX_NAME = 15;
const MULTI_QUEUE = 0x100;

/** What is known of a TAP, by every simulated VMM of the user. */
interface TapRecord {
  readonly multiQueue: boolean;
  readonly hostMac: string;
  /** Whether it is there without a VMM. */
  readonly persistent: boolean;
}

/**
 * A TAP that a NIC is on. It is simulated: a file per TAP, whose lock stands for the open device, so that two simulated VMMs
 * keep each other out as two real ones would. What the host says of a real TAP of that name is minded.
 */
export class Tap {
  readonly name: string;
  readonly hostMac: string;
  readonly #fd: number;
  readonly #file: string;
  readonly #persistent: boolean;

  private constructor(name: string, record: TapRecord, fd: number, file: string) {
    this.name = name;
    this.hostMac = record.hostMac;
    this.#fd = fd;
    this.#file = file;
    this.#persistent = record.persistent;
  }

  /** Opens the TAP that a NIC's config names, or a new one. Throws a VmmError. */
  static open(config: NetConfig): Tap {
    const multiQueue = BigInt(config.num_queues) / 2n > 1n;
    const directory = settings().tapDirectory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // The kernel gives a TAP without a name one of its own.
    if (config.tap !== undefined && config.tap !== "") {
      checkHost(config.tap, multiQueue);
      if (Buffer.byteLength(config.tap) > MAX_NAME) throw nameTooLong(config.tap);
      if (/^\.{1,2}$|[/:\s]/.test(config.tap)) throw openError(configureError("EINVAL"));
      return attach(directory, config.tap, multiQueue);
    }
    for (let number = 0; ; number++) {
      const name = `vmtap${number}`;
      try {
        return attach(directory, name, multiQueue);
      } catch (error) {
        if (!(error instanceof VmmError)) throw error;
      }
    }
  }

  /** Gives the TAP back; one that was made for this NIC goes. */
  close(): void {
    if (!this.#persistent) {
      try {
        unlinkSync(this.#file);
      } catch {
        // Somebody tidied up.
      }
    }
    closeSync(this.#fd);
  }

  static make(name: string, record: TapRecord, fd: number, file: string): Tap {
    return new Tap(name, record, fd, file);
  }
}

function attach(directory: string, name: string, multiQueue: boolean): Tap {
  const file = join(directory, encodeURIComponent(name));
  const fd = openSync(file, "a+", 0o600);
  const { tryLockRange } = loadedSys();
  try {
    const first = tryLockRange(fd, { start: 0, length: 1, exclusive: true });
    const known = readRecord(name, file);
    const stale = first && known !== undefined && !known.persistent;
    const record = known === undefined || stale ? newRecord(name, multiQueue) : known;
    if (record.multiQueue !== multiQueue) throw openError(configureError("EINVAL"));
    if (!first && !record.multiQueue) throw openError(configureError("EBUSY"));
    // A multi-queue TAP may be open several times: everybody shares the lock.
    if (record.multiQueue && !tryLockRange(fd, { start: 0, length: 1, exclusive: false }))
      throw openError(configureError("EBUSY"));
    if (record !== known) {
      ftruncateSync(fd);
      writeSync(fd, JSON.stringify(record));
    }
    return Tap.make(name, record, fd, file);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function readRecord(name: string, file: string): TapRecord | undefined {
  const text = readFileSync(file, "utf8");
  if (text !== "") return JSON.parse(text) as TapRecord;
  const flags = hostFlags(name);
  if (flags === undefined) return undefined;
  return { multiQueue: (flags & MULTI_QUEUE) !== 0, hostMac: hostAddress(name), persistent: true };
}

function newRecord(name: string, multiQueue: boolean): TapRecord {
  const given = settings().taps[name];
  const bytes = randomBytes(6);
  bytes[0] = ((bytes[0] ?? 0) & 0xfe) | 0x02;
  const hostMac = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
  return {
    multiQueue: given?.multiQueue ?? multiQueue,
    hostMac: given?.hostMac ?? hostMac,
    persistent: given !== undefined,
  };
}

function hostFlags(name: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(join("/sys/class/net", name, "tun_flags"), "utf8"), 16);
  } catch {
    return undefined;
  }
}

function hostAddress(name: string): string {
  return readFileSync(join("/sys/class/net", name, "address"), "utf8").trim();
}

/** A real TAP of that name has to fit the number of queues. */
function checkHost(name: string, multiQueue: boolean): void {
  const flags = hostFlags(name);
  if (flags === undefined) return;
  const hostMulti = (flags & MULTI_QUEUE) !== 0;
  if (hostMulti && !multiQueue) {
    throw netError(
      new VmmError(
        "MultiQueueNoDeviceSupport",
        "Error related to the multiqueue support (no support device side)",
      ),
    );
  }
  if (!hostMulti && multiQueue) {
    throw netError(
      new VmmError(
        "MultiQueueNoTapSupport",
        "Error related to the multiqueue support (no support TAP side)",
      ),
    );
  }
}

function nameTooLong(name: string): VmmError {
  return openError(
    new VmmError(
      "IfnameTooLong",
      `Interface name too long (max length is ${MAX_NAME}): ${name}`,
      undefined,
      `("${name}")`,
    ),
  );
}

function configureError(errno: string): VmmError {
  return new VmmError("ConfigureTap", "Unable to configure tap interface", osError(errno));
}

function openError(source: VmmError): VmmError {
  return netError(new VmmError("TapOpen", "Open tap device failed", source));
}

function netError(source: VmmError): VmmError {
  return new VmmError(
    "CreateVirtioNet",
    "Cannot create virtio-net device",
    new VmmError("OpenTap", "Failed to open taps", source),
  );
}
