import type { CheckContext } from "../context.ts";
import type { Check, Fix } from "../finding.ts";
import { loadModule, loadModuleFix } from "../modprobe.ts";
import { readCpu } from "../proc.ts";

const module = "vfio-pci";
const why = "PCI devices of the host cannot be given to a VM (`silk vm device attach`).";

/** Whether PCI devices can be passed through. */
export const iommu: Check = {
  id: "iommu",
  title: "IOMMU",
  group: "Virtualization",
  atWorst: "warning",
  async run(context) {
    const { files } = context.host;
    const { length: count } = await files.list("/sys/kernel/iommu_groups");
    if (count === 0)
      return {
        status: "warning",
        evidence: "there is none, or it is off",
        why,
        fix: await turnOn(context),
      };
    const evidence = `${count} group${count === 1 ? "" : "s"}`;
    if ((await files.stat(`/sys/bus/pci/drivers/${module}`)) !== undefined)
      return { status: "ok", evidence: `${evidence}, ${module} is there` };
    return {
      status: "warning",
      evidence: `${evidence}, ${module} is not loaded`,
      why,
      fix: loadModuleFix(module, context),
    };
  },
  repair: (context) => loadModule(module, context),
};

async function turnOn({ host }: CheckContext): Promise<Fix> {
  const { vendor, flags } = await readCpu(host.files);
  if (flags.has("hypervisor"))
    return {
      description: "This machine is itself a VM: give it a virtual IOMMU where it is run.",
      automatic: false,
    };
  const firmware =
    vendor === "amd" ? "AMD-Vi (IOMMU)" : vendor === "intel" ? "VT-d" : "the IOMMU (SMMU)";
  const argument =
    vendor === "intel" ? ", and boot with `intel_iommu=on` on the kernel's command line" : "";
  return {
    description: `Turn on ${firmware} in the firmware's settings${argument}.`,
    automatic: false,
  };
}
