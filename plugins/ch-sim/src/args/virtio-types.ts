import { VmmError } from "../errors.ts";
import { quote } from "../json/content.ts";

const NAMES: Readonly<Record<string, number>> = {
  net: 1,
  block: 2,
  console: 3,
  rng: 4,
  balloon: 5,
  iomem: 6,
  rpmsg: 7,
  scsi: 8,
  "9p": 9,
  mac80211_wlan: 10,
  rproc_serial: 11,
  caif: 12,
  memory_balloon: 13,
  gpu: 16,
  clock: 17,
  input: 18,
  vsock: 19,
  crypto: 20,
  signal_dist: 21,
  pstore: 22,
  iommu: 23,
  mem: 24,
  sound: 25,
  fs: 26,
  pmem: 27,
  rpmb: 28,
  mac80211_hwsim: 29,
  video_encoder: 30,
  video_decoder: 31,
  scmi: 32,
  nitro_sec_mod: 33,
  i2c: 34,
  watchdog: 35,
  can: 36,
  dmabuf: 37,
  param_serv: 38,
  audio_policy: 39,
  bt: 40,
  gpio: 41,
  rdma: 42,
  camera: 43,
  ism: 44,
  spi: 45,
  tee: 46,
  cpu_balloon: 47,
  media: 48,
  usb: 49,
};

/** The number of a virtio device type given by name or by number. Throws for those that cannot be vhost-user devices. */
export function virtioDeviceType(text: string): number {
  const named = NAMES[text];
  const type =
    named ?? (/^[1-9][0-9]*$/.test(text) && Number(text) < 2 ** 32 ? Number(text) : undefined);
  const quoted = quote(text);
  if (type === undefined) {
    throw new VmmError(
      "ParseGenericVhostUserVirtioIdInvalid",
      `Error parsing --generic-vhost-user: device_type ${quoted} invalid (leading zeros or unknown string)`,
      undefined,
      `(${quoted})`,
    );
  }
  if (type === NAMES["watchdog"] || type === NAMES["iommu"]) {
    throw new VmmError(
      "ParseGenericVhostUserVirtioIdUnsupported",
      `Error parsing --generic-vhost-user: device with device_type ${quoted} cannot be implemented via vhost-user`,
      undefined,
      `(${quoted})`,
    );
  }
  return type;
}
