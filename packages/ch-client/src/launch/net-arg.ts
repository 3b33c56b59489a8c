import type { NetConfig } from "../schema/net.ts";
import {
  list,
  number,
  on,
  onOff,
  optionString,
  pciOptions,
  positive,
  rateLimitOptions,
  text,
} from "./option-string.ts";

/** A NIC as the value of `--net`: `tap=…,mac=…,num_queues=…,queue_size=…,offload_tso=…,offload_ufo=…,offload_csum=…` and then the rest. */
export function netArg(net: NetConfig): string {
  return optionString([
    text("tap", net.tap),
    text("mac", net.mac),
    positive("num_queues", net.num_queues),
    positive("queue_size", net.queue_size),
    onOff("offload_tso", net.offload_tso),
    onOff("offload_ufo", net.offload_ufo),
    onOff("offload_csum", net.offload_csum),
    text("ip", net.ip),
    text("mask", net.mask),
    text("host_mac", net.host_mac),
    number("mtu", net.mtu),
    list("fd", net.fds),
    on("vhost_user", net.vhost_user),
    text("socket", net.vhost_socket),
    text("vhost_mode", net.vhost_mode === "Server" ? "server" : undefined),
    ...rateLimitOptions(net.rate_limiter_config),
    ...pciOptions(net),
  ]);
}
