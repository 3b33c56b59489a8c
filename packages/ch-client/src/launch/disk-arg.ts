import type { DiskConfig, ImageType } from "../schema/disks.ts";
import {
  on,
  onOff,
  optionString,
  pairs,
  pciOptions,
  positive,
  rateLimitOptions,
  text,
} from "./option-string.ts";

const imageTypes: Readonly<Record<ImageType, string | undefined>> = {
  FixedVhd: "vhd",
  Qcow2: "qcow2",
  Raw: "raw",
  Vhdx: "vhdx",
  Unknown: undefined,
};

/**
 * A disk as the value of `--disk`: `path=…,readonly=on,direct=on,sparse=on,image_type=…,backing_files=on,num_queues=…,queue_size=…,
 * queue_affinity=[…],serial=…` and then the rest, each only where it applies. Queue counts and sizes of 0 are left to the VMM.
 */
export function diskArg(disk: DiskConfig): string {
  const affinity = disk.queue_affinity?.map(
    ({ queue_index, host_cpus }) => [queue_index, host_cpus] as const,
  );
  return optionString([
    text("path", disk.path),
    on("readonly", disk.readonly),
    on("direct", disk.direct),
    onOff("sparse", disk.sparse),
    text("image_type", imageTypes[disk.image_type ?? "Unknown"]),
    on("backing_files", disk.backing_files),
    positive("num_queues", disk.num_queues),
    positive("queue_size", disk.queue_size),
    pairs("queue_affinity", affinity),
    text("serial", disk.serial),
    on("vhost_user", disk.vhost_user),
    text("socket", disk.vhost_socket),
    ...rateLimitOptions(disk.rate_limiter_config),
    text("rate_limit_group", disk.rate_limit_group),
    text("lock_granularity", disk.lock_granularity === "Full" ? "full" : undefined),
    on("_disable_io_uring", disk.disable_io_uring),
    on("_disable_aio", disk.disable_aio),
    ...pciOptions(disk),
  ]);
}
