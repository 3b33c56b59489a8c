import type * as devices from "../schema/devices.ts";
import { list, number, on, optionString, pciOptions, positive, text } from "./option-string.ts";

/** The value of `--rng`. */
export function rngArg(rng: devices.RngConfig): string {
  return optionString([text("src", rng.src), ...pciOptions(rng)]);
}

/** The value of `--rtc`; empty for the defaults. */
export function rtcArg(rtc: devices.RtcConfig): string {
  return optionString(pciOptions(rtc));
}

/** The value of `--balloon`: `size=…` in bytes, `deflate_on_oom=on`, `free_page_reporting=on`. */
export function balloonArg(balloon: devices.BalloonConfig): string {
  return optionString([
    number("size", balloon.size),
    on("deflate_on_oom", balloon.deflate_on_oom),
    on("free_page_reporting", balloon.free_page_reporting),
    ...pciOptions(balloon),
  ]);
}

/** A value of `--fs`. */
export function fsArg(fs: devices.FsConfig): string {
  return optionString([
    text("tag", fs.tag),
    text("socket", fs.socket),
    positive("num_queues", fs.num_queues),
    positive("queue_size", fs.queue_size),
    ...pciOptions(fs),
  ]);
}

/** A value of `--generic-vhost-user`. */
export function genericVhostUserArg(device: devices.GenericVhostUserConfig): string {
  return optionString([
    number("device_type", device.device_type),
    text("socket", device.socket),
    list("queue_sizes", device.queue_sizes),
    ...pciOptions(device),
  ]);
}

/** A value of `--pmem`. */
export function pmemArg(pmem: devices.PmemConfig): string {
  return optionString([
    text("file", pmem.file),
    number("size", pmem.size),
    on("discard_writes", pmem.discard_writes),
    ...pciOptions(pmem),
  ]);
}

/** A value of `--device`. */
export function deviceArg(device: devices.DeviceConfig): string {
  return optionString([
    text("path", device.path),
    number("fd", device.fd),
    ...pciOptions(device),
    number("x_nv_gpudirect_clique", device.x_nv_gpudirect_clique),
    list("x_exclude_mmap_bars", device.x_exclude_mmap_bars),
  ]);
}

/** A value of `--user-device`. */
export function userDeviceArg(device: devices.UserDeviceConfig): string {
  return optionString([text("socket", device.socket), ...pciOptions(device)]);
}

/** A value of `--vdpa`. */
export function vdpaArg(vdpa: devices.VdpaConfig): string {
  return optionString([
    text("path", vdpa.path),
    positive("num_queues", vdpa.num_queues),
    ...pciOptions(vdpa),
  ]);
}

/** The value of `--vsock`. */
export function vsockArg(vsock: devices.VsockConfig): string {
  return optionString([
    number("cid", vsock.cid),
    text("socket", vsock.socket),
    ...pciOptions(vsock),
  ]);
}

/** The value of `--tpm`. */
export function tpmArg(tpm: devices.TpmConfig): string {
  return optionString([text("socket", tpm.socket)]);
}
