import { boolean } from "@oclif/core/flags";
import { globalFlags } from "./global.ts";
import { durationFlag } from "./values.ts";

/** For what is attached to a running VM. */
export const keepFlag = boolean({
  description:
    "attach it again whenever the VM is started, restored or woken; also to a VM that does not run yet",
});

/** The global flags of a command that takes a device away: it waits for the guest. */
export const detachBaseFlags = {
  ...globalFlags,
  timeout: durationFlag({
    description: "how long the guest may take to let go of it [default: 15s]",
  }),
};
