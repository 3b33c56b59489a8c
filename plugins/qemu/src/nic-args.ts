import type { Nic, VmConfig } from "@silkvm/core";
import type { Place } from "./layout.ts";

/** What QEMU takes: more slots for packets that wait than these are only for devices of other processes. */
const queueSizes = { smallest: 256, largest: 1024, default: 512 } as const;
const netdevPrefix = "tap-";

/** A NIC as QEMU is told of it: its end on the host, and its device. */
export interface NicArgs {
  /** Object for `-netdev` and `netdev_add`. */
  readonly netdev: Readonly<Record<string, unknown>>;
  /** Object for `-device` and `device_add`. */
  readonly device: Readonly<Record<string, unknown>>;
}

export interface NicRequest {
  readonly nic: Pick<Nic, "tap" | "mac" | "queues" | "queueSize">;
  readonly id: string;
  readonly place: Place;
  /** Whether the kernel moves the packets (vhost-net). */
  readonly vhost: boolean;
}

export function nicArgs(
  { nic, id, place, vhost }: NicRequest,
  { netQueueSize }: Pick<VmConfig, "netQueueSize">,
): NicArgs {
  const pairs = Math.max(1, Math.floor(nic.queues / 2));
  const wanted = nic.queueSize || netQueueSize || queueSizes.default;
  return {
    netdev: {
      type: "tap",
      id: netdevOf(nic.tap),
      ifname: nic.tap,
      script: "no",
      downscript: "no",
      ...(pairs > 1 ? { queues: pairs } : {}),
      ...(vhost ? { vhost: true } : {}),
    },
    device: {
      driver: "virtio-net-pci",
      id,
      netdev: netdevOf(nic.tap),
      mac: nic.mac,
      "disable-legacy": "on",
      rx_queue_size: Math.min(queueSizes.largest, Math.max(queueSizes.smallest, wanted)),
      // Nothing boots from a NIC, and its option ROM takes a while.
      romfile: "",
      ...(pairs > 1 ? { mq: true, vectors: 2 * pairs + 2 } : {}),
      ...place,
    },
  };
}

/** The id of a NIC's end on the host tells its TAP, which QEMU itself tells nobody. */
export function netdevOf(tap: string): string {
  return `${netdevPrefix}${tap}`;
}

/** The TAP that such an id tells. */
export function tapOf(netdev: string): string | undefined {
  return netdev.startsWith(netdevPrefix) ? netdev.slice(netdevPrefix.length) : undefined;
}
