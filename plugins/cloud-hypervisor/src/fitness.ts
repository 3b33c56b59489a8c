import { type BackendContext, type Fitness, kvmProblem } from "@silkvm/core";
import { readSettings } from "./settings.ts";

const defaultProgram = "cloud-hypervisor";

/** Cloud Hypervisor can run VMs where its program is and KVM opens. Who names the program wants it. */
export async function fitness({
  host,
  settings,
}: Pick<BackendContext, "host" | "settings">): Promise<Fitness> {
  const { chBinary } = readSettings(settings);
  if (chBinary !== defaultProgram)
    return { isChosen: true, isUsable: true, reason: `the setting chBinary names ${chBinary}` };
  const told = (isUsable: boolean, reason: string): Fitness => ({
    isChosen: false,
    isUsable,
    reason,
  });
  if ((await host.processes.which(chBinary)) === undefined)
    return told(false, `${chBinary} is not on PATH`);
  const problem = await kvmProblem(host);
  return problem === undefined
    ? told(true, `${chBinary} is on PATH, and KVM opens`)
    : told(false, problem.message);
}
