import type { BackendContext, Fitness } from "@silkvm/core";
import { readSettings } from "./settings.ts";

const defaultProgram = "qemu-system-x86_64";

/** QEMU can run VMs where its program is, with KVM or without. Who names the program wants it. */
export async function fitness({
  host,
  settings,
}: Pick<BackendContext, "host" | "settings">): Promise<Fitness> {
  const { qemuBinary } = readSettings(settings);
  if (qemuBinary !== defaultProgram)
    return { isChosen: true, isUsable: true, reason: `the setting qemuBinary names ${qemuBinary}` };
  const isUsable = (await host.processes.which(qemuBinary)) !== undefined;
  return { isChosen: false, isUsable, reason: `${qemuBinary} is ${isUsable ? "" : "not "}on PATH` };
}
