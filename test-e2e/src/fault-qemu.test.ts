import { describeFaults } from "./fault-suite.ts";
import { qemuTarget } from "./real-qemu.ts";
import { realGuest } from "./snapshot-guest.ts";

describeFaults(
  ["snapshot", "clone", "restore", "wake"],
  [{ ...qemuTarget, vmm: async () => "cloud-hypervisor", guest: realGuest }],
);
