import { basename } from "node:path";
import { type CheckContext, defaultBackend } from "../context.ts";
import { probeDevice } from "../device.ts";
import { asRoot } from "../distribution.ts";
import type { Check, Fix, Outcome } from "../finding.ts";
import { readCpu, readKernelFile } from "../proc.ts";
import { shellQuote } from "../../output/shell-quote.ts";

const device = "/dev/kvm";

/** Whether VMs can be run by the hardware. */
export const kvm: Check = {
  id: "kvm",
  title: "KVM",
  group: "Virtualization",
  async run(context) {
    const state = await probeDevice(context.host.files, device);
    if (state.kind === "usable") return await describeKvm(context);
    // The stand-in for Cloud Hypervisor, and other backends, may do without.
    const { chBinary } = context.config;
    const isNeeded =
      defaultBackend(context) === "cloud-hypervisor" && basename(chBinary) !== "ch-sim";
    const outcome = (evidence: string, fix: Fix): Outcome => ({
      status: isNeeded ? "failed" : "warning",
      evidence,
      why: `VMs run at the speed of the hardware by KVM, and ${isNeeded ? "the default backend cannot run one" : "much slower"} without it.`,
      fix,
    });
    if (state.kind === "missing") return outcome(`there is no ${device}`, await enable(context));
    if (state.kind === "no-driver")
      return outcome(`${device} has no driver behind it`, await enable(context));
    if (state.kind === "denied")
      return outcome(
        `this user may not open ${device} (mode ${state.mode.toString(8)})`,
        await admit(context),
      );
    if (state.kind === "forbidden")
      return outcome(`this process is not let open ${device}`, {
        description: `Give the container the device, such as \`docker run --device ${device}\`.`,
        automatic: false,
      });
    return outcome(`${device} cannot be opened: ${state.message}`, {
      description: "See the kernel's log (`dmesg | grep -i kvm`).",
      automatic: false,
    });
  },
};

async function describeKvm({ host }: CheckContext): Promise<Outcome> {
  const modules = (await host.files.list("/sys/module")).filter((name) => name.startsWith("kvm_"));
  const by = modules.length === 0 ? "" : ` (${modules.join(", ")})`;
  if (modules.includes("kvm_pvm"))
    return {
      status: "warning",
      evidence: `${device} opens${by}`,
      why: "This KVM gives no nested state, and a VMM that asks for it, such as Cloud Hypervisor v53, cannot snapshot a VM; all else works.",
      fix: {
        description: "Take a host with hardware virtualization where snapshots are needed.",
        automatic: false,
      },
    };
  const nested = await Promise.all(
    modules.map((name) => readKernelFile(host.files, `/sys/module/${name}/parameters/nested`)),
  );
  const isNested = nested.some((value) => value === "Y" || value === "1");
  return {
    status: "ok",
    evidence: `${device} opens${by}${isNested ? ", nested virtualization is on" : ""}`,
  };
}

/** What makes the device appear. */
async function enable({ host }: CheckContext): Promise<Fix> {
  const manual = (description: string, command?: string): Fix => ({
    ...(command === undefined ? {} : { command: asRoot(command, host.facts.uid) }),
    description,
    automatic: false,
  });
  const { flags } = await readCpu(host.files);
  if (flags.has("vmx")) return manual("Load the kernel's module.", "modprobe kvm_intel");
  if (flags.has("svm")) return manual("Load the kernel's module.", "modprobe kvm_amd");
  if (flags.has("hypervisor"))
    return manual(
      "This machine is a VM without nested virtualization: turn it on where the machine is run, or take a machine type that has it.",
    );
  if (host.facts.arch !== "x64")
    return manual("Boot a kernel that has KVM, at the exception level of a hypervisor (EL2).");
  return manual(
    "The CPU shows no virtualization: turn on VT-x (Intel) or SVM (AMD) in the firmware's settings.",
  );
}

/** What lets this user open the device. */
async function admit({ host, env }: CheckContext): Promise<Fix> {
  const { uid } = host.facts;
  const user = env["USER"] ?? env["LOGNAME"] ?? String(uid);
  const group = /^kvm:[^:]*:(\d+):(.*)$/m.exec(
    (await readKernelFile(host.files, "/etc/group")) ?? "",
  );
  if (group === null)
    return {
      command: asRoot(`setfacl -m u:${shellQuote(user)}:rw ${device}`, uid),
      description:
        "There is no group kvm here: give the user access, which lasts until the next boot.",
      automatic: false,
    };
  const own =
    /^Groups:\s*(.*)$/m
      .exec((await readKernelFile(host.files, "/proc/self/status")) ?? "")?.[1]
      ?.split(" ") ?? [];
  const isMember = group[2]?.split(",").includes(user) ?? false;
  if (isMember && !own.includes(group[1] as string))
    return {
      command: "newgrp kvm",
      description: "The user is in the group kvm since after this session began: log in again.",
      automatic: false,
    };
  return {
    command: asRoot(`usermod -aG kvm ${shellQuote(user)}`, uid),
    description: "Let the user into the group kvm, and log in again.",
    automatic: false,
  };
}
