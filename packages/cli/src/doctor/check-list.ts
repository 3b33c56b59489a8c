import { backend } from "./checks/backend.ts";
import { configuration } from "./checks/config.ts";
import { busybox, containerKernel } from "./checks/containers.ts";
import { logDir, rootDir, runDir } from "./checks/directory.ts";
import { firmware } from "./checks/firmware.ts";
import { hugepages } from "./checks/hugepages.ts";
import { images } from "./checks/images.ts";
import { iommu } from "./checks/iommu.ts";
import { kvm } from "./checks/kvm.ts";
import { node } from "./checks/node.ts";
import { openFiles } from "./checks/open-files.ts";
import { operations } from "./checks/operations.ts";
import { orphans } from "./checks/orphans.ts";
import { plugins } from "./checks/plugins.ts";
import { iproute2, mkfsErofs, mkfsExt4, qemuImg, virtiofsd, xz } from "./checks/programs.ts";
import { reflink } from "./checks/reflink.ts";
import { socketPath } from "./checks/socket-path.ts";
import { space } from "./checks/space.ts";
import { store } from "./checks/store.ts";
import { tun } from "./checks/tun.ts";
import { userfaultfd } from "./checks/userfaultfd.ts";
import { vmm } from "./checks/vmm.ts";
import type { Check } from "./finding.ts";

/** Everything that is checked, in the order of the report, which is also the order of repairs. */
export function checksFor(backends: readonly string[]): readonly Check[] {
  return [
    kvm,
    backend,
    ...backends.map(vmm),
    firmware,
    containerKernel,
    userfaultfd,
    hugepages,
    iommu,
    qemuImg,
    xz,
    mkfsExt4,
    mkfsErofs,
    busybox,
    virtiofsd,
    iproute2,
    tun,
    rootDir,
    runDir,
    logDir,
    socketPath,
    space,
    reflink,
    node,
    openFiles,
    configuration,
    plugins,
    store,
    operations,
    images,
    orphans,
  ];
}
