import { boolean, option, string } from "@oclif/core/flags";
import { durationFlag } from "./values.ts";

const helpGroup = "GLOBAL";

/** The flags of every command. */
export const globalFlags = {
  "root-dir": string({
    description: "where VMs and their disks are kept (SILK_ROOT_DIR)",
    helpGroup,
    helpValue: "DIR",
  }),
  "run-dir": string({
    description: "where sockets are made (SILK_RUN_DIR)",
    helpGroup,
    helpValue: "DIR",
  }),
  "log-dir": string({
    description: "where the VMMs' output goes (SILK_LOG_DIR)",
    helpGroup,
    helpValue: "DIR",
  }),
  config: string({
    description: "the configuration file (SILK_CONFIG)",
    helpGroup,
    helpValue: "FILE",
  }),
  "log-level": option({
    options: ["debug", "info", "warn", "error", "silent"] as const,
    description: "how much silk says on stderr of what it does (SILK_LOG_LEVEL)",
    helpGroup,
  })(),
  json: boolean({ description: "print JSON", helpGroup }),
  "no-wait": boolean({
    description: "fail at once where another command holds the VM",
    helpGroup,
  }),
  timeout: durationFlag({
    description: "give up after this time: 30 (seconds), 500ms, 30s, 2m",
    helpGroup,
  }),
};

/** The values of {@link globalFlags}. */
export interface GlobalFlags {
  readonly "root-dir"?: string | undefined;
  readonly "run-dir"?: string | undefined;
  readonly "log-dir"?: string | undefined;
  readonly config?: string | undefined;
  readonly "log-level"?: "debug" | "info" | "warn" | "error" | "silent" | undefined;
  readonly json: boolean;
  readonly "no-wait": boolean;
  readonly timeout?: number | undefined;
}
