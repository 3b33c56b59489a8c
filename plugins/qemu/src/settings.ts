import { SilkError } from "@silkvm/core";

/** What runs the guest's code: KVM where it can be used, or QEMU's translator (TCG). */
export type AccelSetting = "auto" | "kvm" | "tcg";

/** What the configuration says to this backend. */
export interface Settings {
  /** The VMM program: a name on PATH, or a path. */
  readonly qemuBinary: string;
  /** `q35`, `microvm`, or another type of machine that the program knows. */
  readonly qemuMachine: string;
  readonly qemuAccel: AccelSetting;
  /** How long a VMM may take until its guest runs. */
  readonly startTimeoutMs: number;
}

const accels: readonly unknown[] = ["auto", "kvm", "tcg"] satisfies AccelSetting[];
/** What goes unescaped into QEMU's options. */
const machineName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** @throws SilkError `INVALID_CONFIG` */
export function readSettings(settings: Readonly<Record<string, unknown>>): Settings {
  const {
    qemuBinary = "qemu-system-x86_64",
    qemuMachine = "q35",
    qemuAccel = "auto",
    startTimeoutMs = 60_000,
  } = settings;
  if (typeof qemuBinary !== "string" || qemuBinary === "")
    throw invalid("qemuBinary", "the name or the path of a program");
  if (typeof qemuMachine !== "string" || !machineName.test(qemuMachine))
    throw invalid("qemuMachine", "the name of a type of machine, such as q35 or microvm");
  if (!accels.includes(qemuAccel)) throw invalid("qemuAccel", "auto, kvm or tcg");
  if (typeof startTimeoutMs !== "number" || !Number.isInteger(startTimeoutMs) || startTimeoutMs < 0)
    throw invalid("startTimeoutMs", "a whole number of milliseconds");
  return { qemuBinary, qemuMachine, qemuAccel: qemuAccel as AccelSetting, startTimeoutMs };
}

/** Whether a type of machine is one of the `microvm` family: no BIOS, no slots that devices can be added to. */
export function isMicrovm(machine: string): boolean {
  return machine === "microvm";
}

function invalid(setting: string, wanted: string): SilkError {
  return new SilkError(`the setting ${setting} must be ${wanted}`, {
    code: "INVALID_CONFIG",
    kind: "invalid",
    details: { setting },
  });
}
