import { SilkError, type ToolResult } from "@silkvm/core";

/** A line that `ip` or `tc` did not carry out. */
export interface FailedLine {
  readonly program: string;
  readonly line: string;
  readonly result: ToolResult;
}

/** What a failed `ip` or `tc` means to the user, by the kernel's words. */
export function toolFailed({ program, line, result }: FailedLine): SilkError {
  const said = result.stderr
    .split("\n")
    .map((text) => text.replace(/^(RTNETLINK answers|Error): /, "").trim())
    .filter((text) => text !== "" && !text.startsWith("Command failed"))
    .join("; ");
  const known = meanings.find(({ pattern }) => pattern.test(said));
  return new SilkError(
    `${known?.message ?? `\`${program} ${line}\` failed`}: ${said === "" ? `exit code ${result.exitCode}` : said}`,
    {
      code: known?.code ?? "IP_FAILED",
      kind: known?.kind ?? "failed",
      hint: known?.hint ?? "Run that command by hand as root, and see the kernel's log (`dmesg`).",
      details: { program, line, exitCode: result.exitCode, stderr: result.stderr.trim() },
    },
  );
}

const meanings = [
  {
    pattern: /not permitted|Permission denied/i,
    code: "PERMISSION_DENIED",
    kind: "denied",
    message: "this user may not change the network of the host",
    hint: "Run silk as root, or with the capabilities CAP_NET_ADMIN and (for CNI) CAP_SYS_ADMIN.",
  },
  {
    // What `ip tuntap` says where it cannot open /dev/net/tun.
    pattern: /^open: |\/dev\/net\/tun/,
    code: "TUN_UNAVAILABLE",
    kind: "unavailable",
    message: "the kernel's TAP device /dev/net/tun cannot be opened",
    hint: "Load its module: modprobe tun",
  },
  {
    pattern: /Exchange full/,
    code: "BRIDGE_FULL",
    kind: "conflict",
    message: "the bridge has as many ports as a bridge can have",
    hint: "Remove VMs from it, or give new ones another bridge.",
  },
  {
    pattern: /classifier not found|Unknown qdisc|action .* not found/i,
    code: "TC_UNAVAILABLE",
    kind: "unsupported",
    message: "the kernel lacks a part of traffic control",
    hint: "Load the modules: modprobe -a sch_ingress cls_u32 act_mirred",
  },
] as const;

/** A program of iproute2 that is not there. */
export function toolMissing(program: string, cause: unknown): SilkError {
  return new SilkError(`the program ${program} is not there`, {
    code: "IP_NOT_FOUND",
    kind: "unavailable",
    hint: "Install iproute2 (apt install iproute2).",
    details: { program },
    cause,
  });
}

/** A TAP whose name a VM should have, and that is not the VM's. */
export function tapTaken(tap: string, alias: string | undefined): SilkError {
  return new SilkError(`the network device ${tap} is there already, and is not this VM's`, {
    code: "TAP_TAKEN",
    kind: "conflict",
    hint: `See whose it is (ip -d link show ${tap}); if nobody needs it: ip link del ${tap}`,
    details: { tap, ...(alias === undefined ? {} : { alias }) },
  });
}

/** A NIC that the network was given and has not planned. */
export function foreignNic(tap: string): SilkError {
  return new SilkError(`the TAP ${tap} is not one that this network has planned for the VM`, {
    code: "NIC_FOREIGN",
    kind: "invalid",
    details: { tap },
  });
}
