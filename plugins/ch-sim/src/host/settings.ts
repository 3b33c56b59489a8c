import { checkBoolean, checkNumber, checkObject, checkString } from "../check.ts";

/** What the simulator takes the host to be like. */
export interface HostSettings {
  /** The version that `--version` and `vmm.ping` tell. */
  readonly buildVersion: string;
  /** How many bits a physical address of the host has, at most 46 of which the program uses. */
  readonly physicalBits: number;
  /** Whether the host's KVM gives nested state away; a snapshot fails where it does not. */
  readonly nestedState: boolean;
  /** How long a vhost-user socket is tried, in milliseconds. */
  readonly vhostUserConnectMs: number;
  /** How long an on-demand restore goes on filling memory, in milliseconds for each GiB. */
  readonly onDemandFillMsPerGib: number;
  /** Whether PCI devices can be passed through: a device's path then only has to exist. */
  readonly vfio: boolean;
  /** TAPs that are there without a VMM, by name. */
  readonly taps: Readonly<
    Record<string, { readonly multiQueue: boolean; readonly hostMac: string | undefined }>
  >;
}

const KEYS = [
  "buildVersion",
  "physicalBits",
  "nestedState",
  "vhostUserConnectMs",
  "onDemandFillMsPerGib",
  "vfio",
  "taps",
] as const;

/** Checks what was given; undefined is an ordinary host. */
export function parseHost(value: unknown): HostSettings {
  const given = checkObject(value ?? {}, "the host", KEYS);
  const physicalBits = checkNumber(given["physicalBits"], "physicalBits", 46);
  if (physicalBits < 33 || physicalBits > 52)
    throw new Error("physicalBits has to be between 33 and 52");
  const taps = given["taps"];
  const names = taps === undefined ? {} : checkObject(taps, "taps", Object.keys(taps as object));
  return {
    buildVersion: checkString(given["buildVersion"], "buildVersion", "v53.0"),
    physicalBits,
    nestedState: checkBoolean(given["nestedState"], "nestedState", true),
    vhostUserConnectMs: checkNumber(given["vhostUserConnectMs"], "vhostUserConnectMs", 60_000),
    onDemandFillMsPerGib: checkNumber(given["onDemandFillMsPerGib"], "onDemandFillMsPerGib", 1_000),
    vfio: checkBoolean(given["vfio"], "vfio", false),
    taps: Object.fromEntries(
      Object.entries(names).map(([name, tap]) => {
        const fields = checkObject(tap, `taps.${name}`, ["multiQueue", "hostMac"]);
        return [
          name,
          {
            multiQueue: checkBoolean(fields["multiQueue"], `taps.${name}.multiQueue`, false),
            hostMac: checkString(fields["hostMac"], `taps.${name}.hostMac`, undefined),
          },
        ];
      }),
    ),
  };
}
