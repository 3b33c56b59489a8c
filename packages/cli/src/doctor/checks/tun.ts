import { probeDevice } from "../device.ts";
import type { Check, Outcome } from "../finding.ts";
import { loadModule, loadModuleFix } from "../modprobe.ts";
import { hasCapability } from "../proc.ts";

const device = "/dev/net/tun";
const why = "VMs with NICs cannot be made: each NIC is a TAP device of the host.";

/** Whether TAP devices can be made. */
export const tun: Check = {
  id: "tun",
  title: "TAP devices",
  group: "Network",
  atWorst: "warning",
  async run(context) {
    const { files } = context.host;
    const state = await probeDevice(files, device);
    const warning = (evidence: string, description: string): Outcome => ({
      status: "warning",
      evidence,
      why,
      fix: { description, automatic: false },
    });
    if (state.kind === "missing" || state.kind === "no-driver")
      return {
        status: "warning",
        evidence: `${device} is not there`,
        why,
        fix: loadModuleFix("tun", context),
      };
    if (state.kind === "denied")
      return warning(`this user may not open ${device}`, "Run silk as root.");
    if (state.kind === "forbidden")
      return warning(
        `this process is not let open ${device}`,
        `Give the container the device, such as \`docker run --device ${device} --cap-add NET_ADMIN\`.`,
      );
    if (state.kind === "other")
      return warning(
        `${device} cannot be opened: ${state.message}`,
        "See the kernel's log (`dmesg`).",
      );
    if (await hasCapability(files, "CAP_NET_ADMIN"))
      return { status: "ok", evidence: `${device} opens` };
    return warning(
      `${device} opens, but this user may not make network devices`,
      "Run silk as root, or give it CAP_NET_ADMIN.",
    );
  },
  repair: (context) => loadModule("tun", context),
};
