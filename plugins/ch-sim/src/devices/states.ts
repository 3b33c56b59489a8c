import type * as types from "../config/types.ts";
import type { Disk } from "./disk.ts";

const VERSION_1 = 2 ** 32;

/** What a snapshot says of a device that has nothing to say. */
export function plainState(): unknown {
  return { avail_features: VERSION_1, acked_features: 0 };
}

export function watchdogState(): unknown {
  return { avail_features: VERSION_1, acked_features: 0, enabled: false };
}

export function balloonState(config: types.BalloonConfig): unknown {
  return {
    avail_features:
      VERSION_1 + (config.deflate_on_oom ? 4 : 0) + (config.free_page_reporting ? 32 : 0),
    acked_features: 0,
    config: { num_pages: Number(BigInt(config.size) / 4096n), actual: 0 },
  };
}

export function blockState(config: types.DiskConfig, disk: Disk): unknown {
  const sectors = Math.floor(disk.bytes / 512);
  const discard = !disk.readonly && config.sparse;
  return {
    disk_path: disk.path,
    disk_nsectors: sectors,
    avail_features: disk.readonly ? 5_100_281_444 : 5_100_305_988,
    acked_features: 0,
    config: {
      capacity: sectors,
      size_max: 0,
      seg_max: config.queue_size - 2,
      geometry: { cylinders: 0, heads: 0, sectors: 0 },
      blk_size: 512,
      physical_block_exp: 0,
      alignment_offset: 0,
      min_io_size: 1,
      opt_io_size: 0,
      writeback: 1,
      unused: 0,
      num_queues: Number(config.num_queues),
      max_discard_sectors: discard ? 2 ** 32 - 1 : 0,
      max_discard_seg: discard ? 1 : 0,
      discard_sector_alignment: discard ? 1 : 0,
      max_write_zeroes_sectors: discard ? 2 ** 32 - 1 : 0,
      max_write_zeroes_seg: discard ? 1 : 0,
      write_zeroes_may_unmap: discard ? 1 : 0,
      unused1: [0, 0, 0],
    },
  };
}

export function netState(config: types.NetConfig): unknown {
  const pairs = Number(BigInt(config.num_queues) / 2n);
  return {
    avail_features: 4_838_358_959,
    acked_features: 0,
    config: {
      mac: config.mac.split(":").map((byte) => Number.parseInt(byte, 16)),
      status: 0,
      max_virtqueue_pairs: pairs,
      mtu: config.mtu ?? 1500,
      speed: 0,
      duplex: 0,
    },
    queue_size: Array.from({ length: pairs * 2 + 1 }, () => config.queue_size),
  };
}

export function pmemState(base: number, bytes: number): unknown {
  return { avail_features: VERSION_1, acked_features: 0, config: { start: base, size: bytes } };
}
