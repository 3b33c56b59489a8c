import { boolean, option, string } from "@oclif/core/flags";
import type { RestoreMode } from "@silkvm/core";

const modes = ["auto", "copy", "ondemand", "cow"] as const satisfies readonly RestoreMode[];

/** Files of the host that a snapshot from elsewhere may use. */
export const allowPathFlags = {
  "allow-path": string({
    description:
      "a file of this host, or a directory of such, that a snapshot from elsewhere may use; can be given more than once",
    helpValue: "PATH",
    multiple: true,
    multipleNonGreedy: true,
  }),
};

/** How a VM gets its memory from a snapshot. */
export const modeFlags = {
  "restore-mode": option({
    options: modes,
    description: "how the guest gets its memory [default: auto]",
  })(),
  strict: boolean({
    description: "fail where that mode is not possible, instead of using another",
  }),
};

/** What `vm clone` and `vm restore` take. */
export const loadFlags = {
  "from-dir": string({
    description: "a directory that `silk snapshot export --to-dir` made, instead of a snapshot",
    helpValue: "DIR",
  }),
  ...modeFlags,
  ...allowPathFlags,
};
