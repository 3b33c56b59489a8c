import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttachedTo, DeviceContext, Host, VmRecord } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { type FakePci, fakePci } from "./fake-pci.ts";

/** The spare disk that most tests hand over, alone in its group. */
export const spare = "0000:00:10.0";

/** A pretended host with a spare disk, vfio-pci loaded, and what a kind of devices is called with. */
export interface Scene extends AsyncDisposable {
  readonly pci: FakePci;
  readonly vm: VmRecord;
  readonly warnings: string[];
  readonly attached: AttachedTo[];
  context(host?: Host): DeviceContext;
}

export async function scene(): Promise<Scene> {
  const dir = await mkdtemp(join(tmpdir(), "silk-vfio-"));
  const pci = fakePci(linuxHost(), dir);
  await pci.host.processes.run({ command: "modprobe", args: ["vfio-pci"] });
  await pci.addDevice({ address: spare, group: 5, driver: "nvme" });
  const warnings: string[] = [];
  const attached: AttachedTo[] = [];
  const runDir = join(dir, "run");
  return {
    pci,
    vm: { id: "a1", name: "web", config: { memoryBytes: 2 ** 30 } } as VmRecord,
    warnings,
    attached,
    context: (host = pci.host) => ({
      host,
      config: { virtiofsd: "virtiofsd" },
      rootDir: join(dir, "root"),
      paths: { dataDir: "", runDir, logPath: "", apiSocketPath: "", consoleSocketPath: "" },
      scope: "test",
      attached: () => attached,
      warn: (message) => warnings.push(message),
      progress: () => {},
    }),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}
