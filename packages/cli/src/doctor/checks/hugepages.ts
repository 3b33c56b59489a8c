import type { HostFiles } from "@silkvm/core";
import { formatSize } from "../../output/format-size.ts";
import { asRoot } from "../distribution.ts";
import type { Check } from "../finding.ts";
import { readKernelFile } from "../proc.ts";

const pools = "/sys/kernel/mm/hugepages";

interface Pool {
  readonly pageBytes: number;
  readonly reserved: number;
  readonly free: number;
}

/** How many huge pages are reserved. None is as it should be: only VMs with `--hugepages` use them, and to others they are lost. */
export const hugepages: Check = {
  id: "hugepages",
  title: "huge pages",
  group: "Virtualization",
  atWorst: "warning",
  async run({ host }) {
    const transparent = await transparentMode(host.files);
    const also = transparent === undefined ? "" : `; transparent ones: ${transparent}`;
    const found = await readPools(host.files);
    if (found.length === 0) return { status: "ok", evidence: `this kernel reserves none${also}` };
    const reserved = found.filter((pool) => pool.reserved > 0);
    if (reserved.length === 0)
      return { status: "ok", evidence: `none reserved, VMs with --hugepages need some${also}` };
    const counts = reserved.map(
      ({ pageBytes, reserved: all, free }) =>
        `${free} of ${all} free (${formatSize(pageBytes)} each)`,
    );
    const evidence = `${counts.join(", ")}${also}`;
    if (reserved.some(({ free }) => free > 0)) return { status: "ok", evidence };
    const [pool] = reserved as [Pool];
    return {
      status: "warning",
      evidence,
      why: "All are in use: no further VM with --hugepages can start.",
      fix: {
        command: asRoot(`sysctl -w vm.nr_hugepages=${pool.reserved * 2}`, host.facts.uid),
        description:
          "Reserve more, as many as the VMs' memory needs: what is reserved is lost to everything else.",
        automatic: false,
      },
    };
  },
};

async function readPools(files: HostFiles): Promise<readonly Pool[]> {
  const found: Pool[] = [];
  for (const name of await files.list(pools)) {
    const kibibytes = /^hugepages-(\d+)kB$/.exec(name)?.[1];
    if (kibibytes === undefined) continue;
    const read = async (file: string): Promise<number> =>
      Number((await readKernelFile(files, `${pools}/${name}/${file}`)) ?? 0);
    found.push({
      pageBytes: Number(kibibytes) * 1024,
      reserved: await read("nr_hugepages"),
      free: await read("free_hugepages"),
    });
  }
  return found;
}

/** The value in brackets: `always [madvise] never`. */
async function transparentMode(files: HostFiles): Promise<string | undefined> {
  const text = await readKernelFile(files, "/sys/kernel/mm/transparent_hugepage/enabled");
  return /\[(\w+)\]/.exec(text ?? "")?.[1];
}
